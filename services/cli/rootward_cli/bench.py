"""Many labelled cases in; accuracy and speed per data set and method out."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import track

from rootward.errors import RootwardError
from rootward_cli import cases, evaluation, rankers
from rootward_cli.evaluation import Outcome, Row

log = logging.getLogger(__name__)

DEFAULT_METHODS = ("diagnosis", "random_order", "n_sigma", "robust_z")


def run(folders: Sequence[Path], methods: Sequence[str], seed: int) -> Iterator[Outcome]:
    """One outcome for each case and method, case by case; a failure is an outcome and a miss.

    Raises:
        NotFound: there is no method of a name.
        InvalidInput: a folder carries no label.
    """
    chosen = {name: rankers.ranker(name) for name in methods}
    for folder in folders:
        label = cases.label(folder)
        for name, ranker in chosen.items():
            yield _outcome(folder, label, name, ranker, seed)


def _outcome(
    folder: Path, label: cases.Label, name: str, ranker: rankers.Ranker, seed: int
) -> Outcome:
    outcome = partial(Outcome, label.dataset, folder.name, label.fault, name)
    started = perf_counter()
    try:
        recording = cases.read(folder)
        started = perf_counter()
        ranking = ranker(recording, seed)
    except Exception as error:
        if not isinstance(error, RootwardError):
            log.exception("method crashed", extra={"case": folder.name, "method": name})
        miss = math.inf if label.metric else None
        reason = f"{type(error).__name__}: {error}"
        return outcome(service_rank=math.inf, series_rank=miss,
                       seconds=perf_counter() - started, error=reason)  # fmt: skip
    seconds = perf_counter() - started
    return outcome(
        service_rank=evaluation.worst_rank(ranking.services, label.services),
        series_rank=evaluation.worst_rank(ranking.series, [label.metric]) if label.metric else None,
        seconds=seconds,
        abstained=ranking.diagnosis is not None and ranking.diagnosis.abstained,
    )


def bench(
    paths: Sequence[Path], methods: Sequence[str], seed: int, jsonl: Path | None, console: Console
) -> list[Row]:
    """Run, show progress on a terminal, write a line per outcome if asked, return the table."""
    folders = [folder for folder in cases.find(paths) if (folder / "case.json").is_file()]
    outcomes = run(folders, methods, seed)
    total = len(folders) * len(methods)
    shown = track(outcomes, "cases", total, console=console, disable=not console.is_terminal)
    done: list[Outcome] = []
    with (jsonl or Path("/dev/null")).open("w", encoding="utf-8") as file:
        for outcome in shown:
            done.append(outcome)
            file.write(json.dumps(_plain(outcome)) + "\n")
    return evaluation.rows(done)


def _plain(outcome: Outcome) -> dict[str, object]:
    """JSON knows no infinity: a miss has the rank null, and `error` tells if it failed."""
    return {
        key: None if isinstance(value, float) and math.isinf(value) else value
        for key, value in asdict(outcome).items()
    }


_COLUMNS = ("data set", "method", "n", "AC@1", "AC@3", "AC@5", "Avg@5", "MRR",
            "series AC@1", "series Avg@5", "median s", "failed", "abstained")  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """The figures as aligned text, by service; a failure is a miss, ties count at their worst."""
    lines = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k < 2 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """The same figures as a markdown table."""
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *(_cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    s, series = row.by_service, row.by_series
    figures = (f"{v:.2f}" for v in (s.ac1, s.ac3, s.ac5, s.avg5, s.mrr))
    by_series = (f"{series.ac1:.2f}", f"{series.avg5:.2f}") if series else ("", "")
    seconds = f"{row.median_seconds:.3f}"
    return (row.dataset, row.method, str(s.cases), *figures, *by_series, seconds,
            str(row.failed), str(row.abstained))  # fmt: skip
