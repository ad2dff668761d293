"""The measured part of docs/benchmarks.md: one markdown section, written between two markers."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from rootward.errors import InvalidInput
from rootward_cli import tables
from rootward_cli.evaluation import AS_GIVEN, CHANCE, MEAN_OF_SETS, RESAMPLES, Row
from rootward_cli.measured import Measured

BEGIN = "<!-- bench:begin -->"
END = "<!-- bench:end -->"
_EMPTY_PAGE = f"# Benchmarks\n\n{BEGIN}\n{END}\n"
_LIBRARIES = ("numpy", "scipy", "torch")
_CPU_INFO = Path("/proc/cpuinfo")
_MEASURES = """\
- **AC@k**: share of cases whose cause is among the first k services; **Avg@5**: mean of AC@1 to
  AC@5; **MRR**: mean of 1/rank. Ties count at their worst. A case on which a method fails, or of
  which it does not list the cause, is a miss.
- **95 %**: percentile bootstrap over the cases of each data set, {resamples} resamples. It says how
  far the choice of *cases* moves a figure, and nothing of *systems* that are not in the table. It
  has no width where every case was right: with 8 of 8, a method may still be wrong in every third.
- **chance**: what a random order of the services is worth, exactly, from the number of services.
- **retrieval@15**: share of cases with a series of the cause among the first 15 that a method lists
  (a diagnosis lists one for each service); **rerank@1**: AC@1 among those cases.
- **mean of sets** weighs data sets equally, not cases; its p95 is that of the slowest set.
- A method sees the metrics of a case without the columns that give the answer away, and the onset
  and the call graph where the case has them; never the label. Where a case has no onset, every
  method gets the one that the diagnosis finds. Seconds are those of the ranking, without reading
  the file."""


def section(found: Measured, command: str) -> str:
    """What was measured, answer first, with the command that measures it again."""
    parts = [
        "## Root causes in labelled recordings",
        _headline(found.rows),
        tables.markdown(tables.accuracy(_headline_rows(found.rows)), left=2),
        "### By data set",
        "AC@1 and Avg@5.",
        tables.markdown(tables.methods_by_set(found.rows), left=1),
        tables.markdown(_data_sets(found), left=1),
        *_folded("All figures by data set", tables.accuracy(found.rows), left=2),
        "### By kind of fault",
        *_folded("AC@1 and Avg@5 by kind of fault", tables.faults(found.faults), left=3),
        *_robustness(found),
        *_shifts(found),
        "### How it was measured",
        _MEASURES.format(resamples=f"{RESAMPLES:,}"),
        _circumstances(found, command),
    ]
    return "\n\n".join(parts)


def around(page: Path) -> tuple[str, str]:
    """What stands above and below the measured part, with the markers; a new page is empty.

    Raises:
        InvalidInput: the page holds no pair of markers, or more than one.
    """
    old = page.read_text(encoding="utf-8") if page.exists() else _EMPTY_PAGE
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(BEGIN) > old.index(END):
        raise InvalidInput(f"{page} must hold {BEGIN} once and {END} once below it")
    return old[: old.index(BEGIN) + len(BEGIN)], old[old.index(END) :]


def into(page: Path, text: str) -> None:
    """Replace what stands between the markers of a page; the rest stays as it is.

    Raises:
        InvalidInput: as `around`.
    """
    above, below = around(page)
    note = "<!-- Written by `rootward bench --report`; edit outside of the markers. -->"
    page.write_text(f"{above}\n{note}\n\n{text}\n\n{below}", encoding="utf-8")


def command_line(found: Measured, page: Path) -> str:
    """The command that repeats the measurement, with FOLDER for the data."""
    plan = found.plan
    words = ["rootward bench FOLDER", f"--methods {','.join(plan.methods)}"]
    words += ["--check"] if plan.check else []
    words += [f"--shift {','.join(map(str, plan.shifts))}"] if plan.shifts else []
    words += [f"--seed {plan.seed}"] if plan.seed else []
    return " ".join([*words, f"--report {page.name if page.is_absolute() else page.as_posix()}"])


def _headline_rows(rows: Sequence[Row]) -> list[Row]:
    """The means over data sets, or the only data set; best Avg@5 first, chance last."""
    means = [row for row in rows if row.dataset == MEAN_OF_SETS] or list(rows)
    return sorted(means, key=lambda r: (r.method == CHANCE, -r.by_service.avg5, -r.by_service.ac1))


def _headline(rows: Sequence[Row]) -> str:
    first, *others = _headline_rows(rows)
    sets = len({row.dataset for row in rows} - {MEAN_OF_SETS})
    extent = f"{first.by_service.cases} cases of {sets} data {'set' if sets == 1 else 'sets'}"
    text = f"On {extent}, `{first.method}` reaches {_figures(first)}"
    peers = [row for row in others if row.method != CHANCE]
    if peers:
        text += f", the next best, `{peers[0].method}`, {_figures(peers[0])}"
    return f"{text}; chance is worth {_figures(others[-1])}. The means over data sets:"


def _figures(row: Row) -> str:
    return f"AC@1 {row.by_service.ac1:.2f} and Avg@5 {row.by_service.avg5:.2f}"


def _data_sets(found: Measured) -> tables.Table:
    """How large the cases of each data set are."""
    first = found.plan.methods[0]
    cases = [o for o in found.outcomes if o.method == first and o.variant == AS_GIVEN]
    lines = []
    for name in dict.fromkeys(case.dataset for case in cases):
        group = [case for case in cases if case.dataset == name]
        sizes = [np.median([getattr(c, what) for c in group]) for what in ("services", "series")]
        faults = len({case.fault for case in group})
        lines.append((name, str(len(group)), str(faults), *(f"{size:.0f}" for size in sizes)))
    return [("data set", "cases", "kinds of fault", "services", "series"), *lines]


def _folded(title: str, table: tables.Table, left: int) -> list[str]:
    body = tables.markdown(table, left)
    return [f"<details>\n<summary>{title}</summary>", body, "</details>"]


def _robustness(found: Measured) -> list[str]:
    if not found.robustness:
        return []
    return [
        "### Columns and units",
        "Cases whose first place, or whose order of services, changes when columns are permuted "
        "or when each metric is given in another unit (the same one on all services).",
        tables.markdown(tables.robustness(found.robustness), left=2),
    ]


def _shifts(found: Measured) -> list[str]:
    if not found.shifts:
        return []
    return [
        "### A wrong onset",
        "AC@1 and Avg@5, mean of the data sets, when the onset that the methods are given is "
        "wrong by so many rows (kept inside of the recording).",
        tables.markdown(tables.shifts(found.shifts), left=1),
    ]


def _circumstances(found: Measured, command: str) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    return "\n".join(
        [
            f"Measured on {when} with Rootward {version('rootward')}, Python "
            f"{platform.python_version()}, {libraries}; {_machine()}; one thread for each "
            f"numerical library. {len(found.outcomes)} runs took {found.seconds:.0f} s; peak "
            f"memory of the whole run {found.peak_megabytes:.0f} MB. Again:",
            "",
            f"    {command}",
        ]
    )


def _machine() -> str:
    """Cores, processor and system, as far as the system tells."""
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines() if _CPU_INFO.exists() else []
    model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return f"{os.cpu_count()} cores, {model or platform.machine()}, {platform.system()}"
