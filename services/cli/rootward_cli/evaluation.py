"""How good a ranking is: ranks with ties at their worst, AC@k, Avg@5 and MRR."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median


def worst_rank(scores: Mapping[str, float], truth: Iterable[str]) -> float:
    """Rank of the best-placed true name, 1 is first; tied names all stand before it.

    Names that are not scored rank infinitely low: a miss at every k.
    """
    return min((_rank(scores, name) for name in truth), default=inf)


def _rank(scores: Mapping[str, float], name: str) -> float:
    if name not in scores:
        return inf
    mine = scores[name]
    return 1 + sum(1 for other, score in scores.items() if other != name and score >= mine)


@dataclass(frozen=True)
class Outcome:
    """One method on one case; `error` is set where it failed, and then the ranks are misses."""

    dataset: str
    case: str
    fault: str
    method: str
    service_rank: float
    series_rank: float | None
    """None where the case names no series."""
    seconds: float
    abstained: bool = False
    error: str | None = None


@dataclass(frozen=True)
class Scores:
    """Figures over cases; shares are between 0 and 1."""

    cases: int
    ac1: float
    ac3: float
    ac5: float
    avg5: float
    mrr: float
    """Mean of 1/rank."""


def scores(ranks: Sequence[float]) -> Scores:
    """AC@1, AC@3, AC@5, Avg@5 (mean of AC@1 to AC@5) and MRR of ranks; all 0 for none."""
    n = len(ranks)

    def share(k: int) -> float:
        return sum(rank <= k for rank in ranks) / n if n else 0.0

    return Scores(
        cases=n,
        ac1=share(1),
        ac3=share(3),
        ac5=share(5),
        avg5=sum(share(k) for k in range(1, 6)) / 5,
        mrr=sum(1 / rank for rank in ranks) / n if n else 0.0,
    )


@dataclass(frozen=True)
class Row:
    """One line of the table: a method on a data set."""

    dataset: str
    method: str
    by_service: Scores
    by_series: Scores | None
    median_seconds: float
    failed: int
    abstained: int


def rows(outcomes: Sequence[Outcome]) -> list[Row]:
    """A row for each data set and method, in order of appearance, then `all` (macro mean)."""
    grouped: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.dataset, outcome.method), []).append(outcome)
    table = [_row(dataset, method, group) for (dataset, method), group in grouped.items()]
    methods = dict.fromkeys(row.method for row in table)
    if len({row.dataset for row in table}) > 1:
        table += [_macro(m, [row for row in table if row.method == m]) for m in methods]
    return table


def _row(dataset: str, method: str, group: Sequence[Outcome]) -> Row:
    by_series = [o.series_rank for o in group if o.series_rank is not None]
    return Row(
        dataset,
        method,
        scores([o.service_rank for o in group]),
        scores(by_series) if by_series else None,
        median(o.seconds for o in group),
        sum(o.error is not None for o in group),
        sum(o.abstained for o in group),
    )


def _macro(method: str, per_dataset: Sequence[Row]) -> Row:
    n = len(per_dataset)

    def mean(name: str) -> float:
        return float(sum(getattr(row.by_service, name) for row in per_dataset)) / n

    return Row(
        "mean of sets",
        method,
        Scores(
            sum(row.by_service.cases for row in per_dataset),
            *(mean(name) for name in ("ac1", "ac3", "ac5", "avg5", "mrr")),
        ),
        None,
        median(row.median_seconds for row in per_dataset),
        sum(row.failed for row in per_dataset),
        sum(row.abstained for row in per_dataset),
    )
