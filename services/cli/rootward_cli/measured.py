"""What a bench measured, and how it is told on a terminal."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter

from rich.console import Console

from rootward import __version__
from rootward.errors import InvalidInput
from rootward_cli import bench, evaluation, tables
from rootward_cli.evaluation import Outcome, Robustness, Row


@dataclass(frozen=True)
class Measured:
    """All outcomes of a plan, and what it took."""

    plan: bench.Plan
    outcomes: tuple[Outcome, ...]
    seconds: float
    peak_megabytes: float
    """Of the whole run, with all its methods and recordings in one process."""

    @cached_property
    def rows(self) -> list[Row]:
        """By data set and method."""
        return evaluation.rows(self.outcomes, self.plan.seed)

    @cached_property
    def faults(self) -> list[Row]:
        """By data set, kind of fault and method."""
        return evaluation.fault_rows(self.outcomes, self.plan.seed)

    @cached_property
    def robustness(self) -> list[Robustness]:
        """By method and change; empty without `check`."""
        return evaluation.robustness(self.outcomes)

    @cached_property
    def shifts(self) -> dict[int, list[Row]]:
        """By rows that the onset was wrong; empty without shifts."""
        return evaluation.shifted_rows(self.outcomes, self.plan.seed)


def shifts(text: str) -> tuple[int, ...]:
    """Whole numbers of rows, separated by commas.

    Raises:
        InvalidInput: one of them is none.
    """
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InvalidInput(
            f"--shift {text!r} is not a list of rows such as -5,-2,2,5,10"
        ) from error


def measure(plan: bench.Plan, jsonl: Path | None, console: Console) -> Measured:
    """Run the plan.

    Raises:
        InvalidInput: there is no labelled case.
    """
    if not plan.sources:
        raise InvalidInput("no case folder with a case.json that names the cause")
    started = perf_counter()
    outcomes = bench.recorded(plan, jsonl, console)
    return Measured(plan, tuple(outcomes), perf_counter() - started, bench.peak_megabytes())


def text(found: Measured) -> str:
    """Every table, aligned."""
    parts = [
        "By service, the onset as in the case; ties count at their worst, a failure is a miss.",
        tables.aligned(tables.accuracy(found.rows), left=2),
        "AC@1 Avg@5 by kind of fault",
        tables.aligned(tables.faults(found.faults), left=3),
    ]
    if found.robustness:
        parts += ["Rankings that changed although nothing that matters did",
                  tables.aligned(tables.robustness(found.robustness), left=2)]  # fmt: skip
    if found.shifts:
        parts += ["AC@1 Avg@5 with an onset that is wrong, mean over the data sets",
                  tables.aligned(tables.shifts(found.shifts), left=1)]  # fmt: skip
    parts.append(
        f"{len(found.outcomes)} runs in {found.seconds:.0f} s; "
        f"peak memory of the whole run {found.peak_megabytes:.0f} MB"
    )
    return "\n\n".join(parts)


def as_json(found: Measured) -> str:
    """The figures for programs: a list of data set, method, shares and seconds, and the memory."""
    return json.dumps(
        {
            "version": __version__,
            "peak_megabytes": found.peak_megabytes,
            "rows": [_json_row(row) for row in (*found.rows, *found.faults)],
        },
        indent=1,
    )


def _json_row(row: Row) -> dict[str, object]:
    seconds = {"median_seconds": row.median_seconds, "p95_seconds": row.p95_seconds}
    return {
        "dataset": row.dataset,
        "fault": row.fault or None,
        "method": row.method,
        **asdict(row.by_service),
        "retrieval15": row.retrieval,
        "rerank1": row.rerank,
        **(seconds if row.method != evaluation.CHANCE else {}),
        "failed": row.failed,
        "abstained": row.abstained,
    }
