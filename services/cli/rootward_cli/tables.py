"""Figures of a bench as tables of text: aligned for a terminal, or as markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rootward_cli.evaluation import CHANCE, MEAN_OF_SETS, Interval, Robustness, Row

Table = Sequence[tuple[str, ...]]
"""The head, then the lines."""


def aligned(table: Table, left: int) -> str:
    """Columns under each other, the first `left` of them flush left, the others right."""
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k < left else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    )


def markdown(table: Table, left: int) -> str:
    """The same as a markdown table."""
    rule = tuple("---" if k < left else "--:" for k in range(len(table[0])))
    lines = [tuple(cell.replace("|", r"\|") for cell in line) for line in table]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def accuracy(rows: Sequence[Row]) -> Table:
    """By data set and method: accuracy by service with 95 % intervals, chance, seconds.

    Two columns left. The columns by series appear where a case names one.
    """
    by_series = any(row.by_series for row in rows)
    head = ["data set", "method", "n", "AC@1", "95 %", "AC@3", "AC@5", "Avg@5", "95 %", "MRR",
            "retrieval@15", "rerank@1"]  # fmt: skip
    head += ["series AC@1", "series Avg@5"] if by_series else []
    head += ["median s", "p95 s", "failed", "abstained"]
    return [tuple(head), *(_accuracy(row, by_series) for row in rows)]


def _accuracy(row: Row, by_series: bool) -> tuple[str, ...]:
    s, series = row.by_service, row.by_series
    cells = [row.dataset, row.method, str(s.cases), f"{s.ac1:.2f}", _interval(row.ac1_interval),
             f"{s.ac3:.2f}", f"{s.ac5:.2f}", f"{s.avg5:.2f}", _interval(row.avg5_interval),
             f"{s.mrr:.2f}", f"{row.retrieval:.2f}",
             "" if row.rerank is None else f"{row.rerank:.2f}"]  # fmt: skip
    if by_series:
        cells += [f"{series.ac1:.2f}", f"{series.avg5:.2f}"] if series else ["", ""]
    if row.method == CHANCE:
        return (*cells, "", "", "", "")
    times = (f"{row.median_seconds:.3f}", f"{row.p95_seconds:.3f}")
    return (*cells, *times, str(row.failed), str(row.abstained))


def _interval(interval: Interval | None) -> str:
    return "exact" if interval is None else f"{interval.low:.2f}–{interval.high:.2f}"


def methods_by_set(rows: Sequence[Row]) -> Table:
    """AC@1 and Avg@5 of each method (down) on each data set (across); one column left."""
    names = list(dict.fromkeys(row.dataset for row in rows if row.dataset != MEAN_OF_SETS))
    names += [MEAN_OF_SETS] if len(names) > 1 else []
    found = {(row.method, row.dataset): _pair(row) for row in rows}
    methods = dict.fromkeys(row.method for row in rows if row.method != CHANCE)
    lines = [(m, *(found[m, name] for name in names)) for m in (*methods, CHANCE)]
    return [("method", *names), *lines]


def faults(rows: Sequence[Row]) -> Table:
    """AC@1 and Avg@5 of each method (across) on each kind of fault (down); three columns left."""
    methods = list(dict.fromkeys(row.method for row in rows if row.method != CHANCE))
    lines: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        lines.setdefault((row.dataset, row.fault), {})[row.method] = row
    cells = [
        (*key, str(line[CHANCE].by_service.cases), *(_pair(line[m]) for m in (*methods, CHANCE)))
        for key, line in lines.items()
    ]
    return [("data set", "fault", "n", *methods, CHANCE), *cells]


def _pair(row: Row) -> str:
    return f"{row.by_service.ac1:.2f} {row.by_service.avg5:.2f}"


def robustness(found: Sequence[Robustness]) -> Table:
    """How many rankings changed although nothing that matters did; two columns left."""
    head = ("method", "what was changed", "cases", "other first", "other order")
    return [
        head,
        *(
            (r.method, r.variant, str(r.cases), str(r.first_changed), str(r.order_changed))
            for r in found
        ),
    ]


def shifts(by_shift: Mapping[int, Sequence[Row]]) -> Table:
    """AC@1 and Avg@5 of each method (down) for each wrong onset (across); one column left."""
    found = {(row.method, k): _pair(row) for k, rows in by_shift.items() for row in rows}
    methods = [m for m in dict.fromkeys(method for method, _ in found) if m != CHANCE]
    head = ("method", *(f"{k:+d} rows" if k else "as given" for k in by_shift))
    return [head, *((m, *(found[m, k] for k in by_shift)) for m in methods)]
