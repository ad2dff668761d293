"""How good a ranking is: ranks with ties at their worst, AC@k, Avg@5, MRR, chance, intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import comb, inf
from statistics import fmean
from typing import TypeVar

import numpy as np

AS_GIVEN = "as given"
CHANCE = "chance"
MEAN_OF_SETS = "mean of sets"
RETRIEVED = 15
"""Candidates among which the cause must be to count as retrieved."""
RESAMPLES = 2000
_Key = TypeVar("_Key")


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


def hit_by_chance(candidates: int, causes: int, k: int) -> float:
    """Probability that a random order has one of the causes among its first k."""
    if k >= candidates:
        return float(causes > 0)
    return 1 - comb(candidates - causes, k) / comb(candidates, k)


@dataclass(frozen=True)
class Outcome:
    """One method on one variant of a case; with `error` it failed, and its ranks are misses."""

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
    retrieved: bool = False
    """A series of a cause is among the first 15 candidates."""
    services: int = 0
    """Services in the recording; 0 where it could not be read."""
    causes: int = 0
    """How many of them are true."""
    series: int = 0
    """Series in the recording."""
    series_of_causes: int = 0
    variant: str = AS_GIVEN
    shift: int = 0
    """Rows by which the method was given a wrong onset."""
    first_changed: bool | None = None
    """Whether another service stands first than on the case as given; None where not compared."""
    order_changed: bool | None = None


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


@dataclass(frozen=True)
class Credit:
    """What one case is worth: AC@1 to AC@5 and 1/rank, or what is expected of them."""

    at: tuple[float, ...]
    reciprocal: float

    @property
    def avg5(self) -> float:
        """Mean of AC@1 to AC@5."""
        return fmean(self.at)


def credit(rank: float) -> Credit:
    """What a rank is worth."""
    return Credit(tuple(float(rank <= k) for k in range(1, 6)), 1 / rank)


def chance(candidates: int, causes: int) -> Credit:
    """What a random order of the candidates is worth on average, exactly; nothing without a cause.

    The best of m causes among n stands at rank r with probability C(n - r, m - 1) / C(n, m).
    """
    at = tuple(hit_by_chance(candidates, causes, k) for k in range(1, 6))
    if not causes:
        return Credit(at, 0.0)
    ways = comb(candidates, causes)
    last = candidates - causes + 1
    return Credit(at, sum(comb(candidates - r, causes - 1) / ways / r for r in range(1, last + 1)))


def scores(ranks: Sequence[float]) -> Scores:
    """AC@1, AC@3, AC@5, Avg@5 (mean of AC@1 to AC@5) and MRR of ranks; all 0 for none."""
    return _scores([credit(rank) for rank in ranks])


def _scores(credits: Sequence[Credit]) -> Scores:
    if not credits:
        return Scores(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ac1, _, ac3, _, ac5 = (fmean(c.at[k] for c in credits) for k in range(5))
    avg5, mrr = fmean(c.avg5 for c in credits), fmean(c.reciprocal for c in credits)
    return Scores(len(credits), ac1, ac3, ac5, avg5, mrr)


@dataclass(frozen=True)
class Interval:
    """Where a mean would lie in 95 % of resamples of the cases."""

    low: float
    high: float


def bootstrap(groups: Sequence[Sequence[float]], seed: int) -> Interval:
    """Interval of the mean over groups of the mean over cases; cases are resampled in each group.

    Percentile bootstrap, Efron 1979.
    """
    rng = np.random.default_rng(seed)
    means = np.zeros(RESAMPLES)
    for values in groups:
        drawn = rng.integers(len(values), size=(RESAMPLES, len(values)))
        means += np.asarray(values, dtype=np.float64)[drawn].mean(axis=1) / len(groups)
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class Row:
    """One line of a table: a method on a data set, or on one fault of it."""

    dataset: str
    method: str
    by_service: Scores
    by_series: Scores | None
    credits: tuple[Credit, ...]
    """What each case was worth, by service."""
    ac1_interval: Interval | None
    """None for chance, which is exact."""
    avg5_interval: Interval | None
    retrieval: float
    """Share of cases with a series of a cause among the first 15 candidates."""
    rerank: float | None = None
    """AC@1 among those cases; None where there are none."""
    median_seconds: float = 0.0
    p95_seconds: float = 0.0
    failed: int = 0
    abstained: int = 0
    fault: str = ""


def rows(outcomes: Sequence[Outcome], seed: int = 0) -> list[Row]:
    """A row for each data set and method, chance below them, then the mean over data sets.

    Only the cases as given count. `seed` is that of the intervals.
    """
    grouped = _grouped(_as_given(outcomes), lambda o: o.dataset)
    table = [row for group in grouped.values() for row in _rows_of(group, seed)]
    if len(grouped) > 1:
        by_method = dict.fromkeys(row.method for row in table if row.method != CHANCE)
        for method in (*by_method, CHANCE):
            table.append(_mean_row([row for row in table if row.method == method], seed))
    return table


def fault_rows(outcomes: Sequence[Outcome], seed: int = 0) -> list[Row]:
    """A row for each data set, kind of fault and method, chance below them."""
    grouped = _grouped(_as_given(outcomes), lambda o: (o.dataset, o.fault))
    return [
        replace(row, fault=fault)
        for (_, fault), group in sorted(grouped.items())
        for row in _rows_of(group, seed)
    ]


def _as_given(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.variant == AS_GIVEN]


def _grouped(
    outcomes: Sequence[Outcome], key: Callable[[Outcome], _Key]
) -> dict[_Key, list[Outcome]]:
    groups: dict[_Key, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return groups


def _rows_of(group: Sequence[Outcome], seed: int) -> list[Row]:
    by_method = _grouped(group, lambda o: o.method)
    found = [_row(cases, seed) for cases in by_method.values()]
    return [*found, _chance_row(next(iter(by_method.values())))]


def _row(group: Sequence[Outcome], seed: int) -> Row:
    credits = [credit(o.service_rank) for o in group]
    by_series = [credit(o.series_rank) for o in group if o.series_rank is not None]
    seconds = [o.seconds for o in group]
    within = [o.service_rank <= 1 for o in group if o.retrieved]
    return Row(
        group[0].dataset,
        group[0].method,
        _scores(credits),
        _scores(by_series) if by_series else None,
        tuple(credits),
        bootstrap([[c.at[0] for c in credits]], seed),
        bootstrap([[c.avg5 for c in credits]], seed),
        retrieval=fmean(o.retrieved for o in group),
        rerank=fmean(within) if within else None,
        median_seconds=float(np.median(seconds)),
        p95_seconds=float(np.quantile(seconds, 0.95)),
        failed=sum(o.error is not None for o in group),
        abstained=sum(o.abstained for o in group),
    )


def _chance_row(group: Sequence[Outcome]) -> Row:
    credits = [chance(o.services, o.causes) for o in group]
    by_series = [chance(o.series, 1) for o in group if o.series_rank is not None]
    return Row(
        group[0].dataset,
        CHANCE,
        _scores(credits),
        _scores(by_series) if by_series else None,
        tuple(credits),
        None,
        None,
        retrieval=fmean(hit_by_chance(o.series, o.series_of_causes, RETRIEVED) for o in group),
    )


def _mean_row(found: Sequence[Row], seed: int) -> Row:
    """One method over data sets that weigh the same, whatever their number of cases."""
    means = [fmean(getattr(row.by_service, f.name) for row in found) for f in fields(Scores)[1:]]
    reranked = [row.rerank for row in found if row.rerank is not None]
    exact = found[0].method == CHANCE
    return Row(
        MEAN_OF_SETS,
        found[0].method,
        Scores(sum(row.by_service.cases for row in found), *means),
        None,
        (),
        None if exact else bootstrap([[c.at[0] for c in row.credits] for row in found], seed),
        None if exact else bootstrap([[c.avg5 for c in row.credits] for row in found], seed),
        retrieval=fmean(row.retrieval for row in found),
        rerank=fmean(reranked) if reranked else None,
        median_seconds=float(np.median([row.median_seconds for row in found])),
        p95_seconds=max(row.p95_seconds for row in found),
        failed=sum(row.failed for row in found),
        abstained=sum(row.abstained for row in found),
    )


@dataclass(frozen=True)
class Robustness:
    """How often a method's ranking changed where it should not have."""

    method: str
    variant: str
    cases: int
    first_changed: int
    order_changed: int


def robustness(outcomes: Sequence[Outcome]) -> list[Robustness]:
    """One for each method and variant that was compared with the case as given."""
    compared = [o for o in outcomes if o.first_changed is not None]
    return [
        Robustness(
            method,
            variant,
            len(group),
            sum(bool(o.first_changed) for o in group),
            sum(bool(o.order_changed) for o in group),
        )
        for (method, variant), group in _grouped(compared, lambda o: (o.method, o.variant)).items()
    ]


def shifted_rows(outcomes: Sequence[Outcome], seed: int = 0) -> dict[int, list[Row]]:
    """For each shift of the onset, 0 among them, the rows by method over all data sets."""
    compared = [o for o in outcomes if o.first_changed is None]
    by_shift = _grouped(compared, lambda o: o.shift)
    if list(by_shift) == [0]:
        return {}
    found = {}
    for shift, group in sorted(by_shift.items()):
        table = rows([replace(o, variant=AS_GIVEN) for o in group], seed)
        one_set = len({o.dataset for o in group}) == 1
        found[shift] = [r for r in table if one_set or r.dataset == MEAN_OF_SETS]
    return found
