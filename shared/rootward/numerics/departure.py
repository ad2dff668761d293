"""Departures: which series have left their baseline by now, how far, and since when.

Four running statistics look at each series: the median of the last 3 rows and of the last 9
against the baseline's median (a sudden and a slight shift), the median of the last 3 rows
against the 12 before (a jump of a series that drifts anyway), and that of the last 9 against the
24 before (the same for series that were smoothed when they were recorded). Each is compared with
what the same statistic did at every row of the baseline, so that its scale is right under
autocorrelation; the bound is a quantile of Student's t with as many degrees of freedom as the
baseline has independent rows, for a probability that is shared among the series. The state is
the values themselves: nothing has to be kept between two calls but a calibration, which can be
made anew at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import special

Matrix = Float[np.ndarray, "rows series"]
Ends = Float[np.ndarray, "ends series"]
PerSeries = Float[np.ndarray, " series"]

FAST, SLOW = 3, 9
"""Rows of the short median and of the long one."""
BEFORE_FAST, BEFORE_SLOW = 12, 24
"""Rows of the stretches that jumps of the two are held against."""
LOOK = SLOW + BEFORE_SLOW
"""The newest rows that all this looks at."""
LARGEST_SCORE = 1000.0
_EVERY = 3
"""The long statistics are taken at every third row of the baseline: neighbours tell the same."""

_NORMAL_75, _NORMAL_90 = 0.67449, 1.64485
"""Bounds that half and nine tenths of the sizes of normal values lie within."""
_FRESH = 0.7
"""Of the independent rows: overlapping medians of three of them tell this much less."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a departure counts."""

    least_rows: int = 30
    """A series with fewer baseline rows is not judged."""
    guard_rows: int = 12
    """Newest rows that never belong to the baseline; fewer while there is little."""
    false_rows: float = 1e-4
    """Share of rows at which noise may pass the bound, all series together."""
    habit: float = 1.2
    """A departure must be this much larger than what the baseline does now and then."""
    prior_rows: float = 5.0
    """Weight, in rows, of the scale that other series of the same kind have."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What is normal: one value for each series; each of the four statistics has its bound."""

    centre: PerSeries
    """Median of the baseline."""
    scale: PerSeries
    """Robust deviation of single rows, floored."""
    bounds: Float[np.ndarray, "4 series"]
    """Size at which each statistic counts, in units of the series; infinite: not judged."""
    rows: Int[np.ndarray, " series"]
    """Measured baseline rows."""


@dataclass(frozen=True, eq=False)
class Departures:
    """Where the newest rows stand."""

    score: PerSeries
    """Size as a multiple of its bound, negative for a fall: a departure from 1 on."""
    level: PerSeries
    """The same for the short median alone: how far the series is from its baseline now."""
    size: PerSeries
    """Size in robust deviations of the baseline, negative for a fall."""
    before: PerSeries
    """What `after` is held against: the baseline's median, or that of the rows before a jump."""
    after: PerSeries
    """Median of the last rows."""


def calibrate(
    values: Matrix,
    usable: Bool[np.ndarray, " rows"],
    floor: PerSeries,
    group: Int[np.ndarray, " series"],
    rule: Rule,
) -> Calibration:
    """What is normal, from the rows that are usable and older than the guard.

    `floor` is the least scale of each series in its own unit, relative to nothing; `group`
    numbers the series that measure the same thing elsewhere, whose relative scale is borrowed.
    """
    end = max(0, len(values) - guard(len(values), rule))
    base = np.where(usable[:end, None], values[:end], np.nan)
    ordered = np.sort(base, axis=0)
    rows = np.count_nonzero(np.isfinite(base), axis=0)
    centre = _quantile(ordered, rows, 0.5)
    least = np.maximum(floor, _resolution(ordered) / 2)
    raw = _tail_scale(base - centre)
    scale = np.maximum(_shrunk(raw, centre, rows, group, rule), least)
    relative = np.divide(scale, raw, out=np.ones_like(raw), where=raw > 0)
    tested = max(1, int(np.count_nonzero(rows >= rule.least_rows)))
    tail = rule.false_rows / tested / len(_STATISTICS)
    own = _FRESH * independent_rows(base)
    bounds = [
        _bound(
            sizes := statistic(base, centre),
            np.maximum(np.where(raw > 0, relative, 1.0) * _scale(sizes), least),
            own if statistic is _fast else independent_rows(sizes),
            (tail, rule),
        )
        for statistic in _STATISTICS
    ]
    known = rows >= rule.least_rows
    return Calibration(centre, scale, np.where(known, np.vstack(bounds), np.inf), rows)


def departures(
    values: Matrix, usable: Bool[np.ndarray, " rows"], normal: Calibration
) -> Departures:
    """How the newest rows stand against what is normal.

    `usable` marks rows that a jump may be held against; the last `FAST` rows always count.
    """
    tail = values[-LOOK:].copy()
    old = ~usable[-LOOK:]
    old[-FAST:] = False
    reference = np.where(old[:, None], np.nan, tail)
    fast, slow = _median(tail[-FAST:], 2), _median(tail[-SLOW:], 6)
    centre = normal.centre
    before = np.vstack(
        [
            centre,
            centre,
            _median(reference[-FAST - BEFORE_FAST : -FAST], BEFORE_FAST // 2),
            _median(reference[-SLOW - BEFORE_SLOW : -SLOW], BEFORE_SLOW // 2),
        ]
    )
    ratios = np.nan_to_num((np.vstack([fast, slow, fast, slow]) - before) / normal.bounds, nan=0.0)
    largest = np.argmax(np.abs(ratios), axis=0)
    columns = np.arange(values.shape[1])
    after = _median(tail[-FAST:], 1)
    held_against = before[largest, columns]
    return Departures(
        score=_capped(ratios[largest, columns]),
        level=_capped(ratios[0]),
        size=_capped(np.nan_to_num((after - held_against) / normal.scale, nan=0.0)),
        before=np.where(np.isfinite(held_against), held_against, centre),
        after=after,
    )


def onset_row(values: Float[np.ndarray, " rows"], centre: float, scale: float, sign: float) -> int:
    """The row from which on a series stands away from its baseline, towards `sign`.

    The likeliest change point of a clipped deviation: single rows back inside do not end it.
    The number of rows, where the newest ones are not away.
    """
    deviation = np.clip(np.nan_to_num(sign * (values - centre) / scale, nan=2.0), -4.0, 4.0)
    evidence = np.cumsum((deviation - 2.0)[::-1])[::-1]
    return int(np.argmax(np.append(evidence, 0.0)))


def guard(rows: int, rule: Rule) -> int:
    """How many of the newest rows do not belong to the baseline."""
    return int(np.clip(rows // 5, FAST, rule.guard_rows))


def longest_run(flags: Bool[np.ndarray, " rows"]) -> int:
    """The longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def _fast(base: Matrix, centre: PerSeries) -> Ends:
    return _running_median(base, FAST, 2) - centre


def _slow(base: Matrix, centre: PerSeries) -> Ends:
    return _running_median(base, SLOW, 6, _EVERY) - centre


def _jump(base: Matrix, centre: PerSeries) -> Ends:
    before = _running_median(base[:-FAST], BEFORE_FAST, BEFORE_FAST // 2, _EVERY)
    return _running_median(base, FAST, 2, _EVERY)[: len(before)] - before


def _slow_jump(base: Matrix, centre: PerSeries) -> Ends:
    before = _running_median(base[:-SLOW], BEFORE_SLOW, BEFORE_SLOW // 2, _EVERY)
    return _running_median(base, SLOW, 6, _EVERY)[: len(before)] - before


_STATISTICS = (_fast, _slow, _jump, _slow_jump)


def _bound(
    statistic: Ends, scale: PerSeries, freedom: PerSeries, chance: tuple[float, Rule]
) -> PerSeries:
    """The size that noise passes with the given probability: the largest of three answers.

    Student's t for few independent rows; an exponential tail through the outer quantiles for
    values whose tail is heavier; and what the baseline itself does now and then.
    """
    tail, rule = chance
    sizes = np.sort(np.abs(statistic), axis=0)
    rows = np.count_nonzero(np.isfinite(sizes), axis=0)
    outer, far = _quantile(sizes, rows, 0.9), _quantile(sizes, rows, 0.97)
    light = scale * -special.stdtrit(np.maximum(freedom, 1.0), tail)
    heavy = outer + (far - outer) * np.log(0.1 / (2 * tail)) / np.log(0.1 / 0.03)
    bound = np.maximum(light, np.maximum(heavy, rule.habit * far))
    return np.where(rows > 0, bound, np.inf)


def _scale(statistic: Ends) -> PerSeries:
    """The deviation that the outer tenth of the sizes tells."""
    sizes = np.sort(np.abs(statistic), axis=0)
    rows = np.count_nonzero(np.isfinite(sizes), axis=0)
    return np.nan_to_num(_quantile(sizes, rows, 0.9) / _NORMAL_90)


def independent_rows(values: Matrix) -> PerSeries:
    """How many independent rows tell as much as these, from the correlation of neighbours.

    n (1 - r) / (1 + r) with r corrected for its bias in short series (Kendall 1954).
    """
    rows = np.count_nonzero(np.isfinite(values), axis=0)
    mean = np.divide(np.nansum(values, axis=0), rows, out=np.zeros(values.shape[1]), where=rows > 0)
    deviation = np.nan_to_num(values - mean)
    energy = np.sum(deviation**2, axis=0)
    product = np.sum(deviation[1:] * deviation[:-1], axis=0)
    r = np.divide(product, energy, out=np.zeros(len(mean)), where=energy > 0)
    r = np.clip(r + (1 + 3 * r) / np.maximum(rows, 1), 0.0, 0.99)
    return rows * (1 - r) / (1 + r)


def _shrunk(
    raw: PerSeries,
    centre: PerSeries,
    rows: Int[np.ndarray, " series"],
    group: Int[np.ndarray, " series"],
    rule: Rule,
) -> PerSeries:
    """Scales drawn towards the median relative scale of their group."""
    share = np.divide(raw, np.abs(centre), out=np.full(len(raw), np.nan), where=centre != 0)
    pooled = raw.copy()
    for members in _members(group):
        known = share[members][np.isfinite(share[members])]
        if len(known) > 2:
            pooled[members] = np.median(known) * np.abs(centre[members])
    weight = rule.prior_rows / (rule.prior_rows + np.maximum(rows, 1))
    mixed = np.sqrt((1 - weight) * raw**2 + weight * np.nan_to_num(pooled) ** 2)
    return np.nan_to_num(mixed)


def _members(group: Int[np.ndarray, " series"]) -> list[Int[np.ndarray, " members"]]:
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return np.split(order, cuts)


def _tail_scale(deviation: Matrix) -> PerSeries:
    """The larger of what the quartiles and what the outer tenth say the deviation is."""
    sizes = np.sort(np.abs(deviation), axis=0)
    rows = np.count_nonzero(np.isfinite(sizes), axis=0)
    middle = _quantile(sizes, rows, 0.5) / _NORMAL_75
    outer = _quantile(sizes, rows, 0.9) / _NORMAL_90
    return np.nan_to_num(np.maximum(middle, outer))


def _resolution(ordered: Matrix) -> PerSeries:
    """The smallest distance between two values that a series took; 0 for a constant one."""
    steps = np.diff(ordered, axis=0)
    smallest = np.min(np.where(steps > 0, steps, np.inf), axis=0, initial=np.inf)
    return np.where(np.isfinite(smallest), smallest, 0.0)


def _quantile(ordered: Matrix, rows: Int[np.ndarray, " series"], q: float) -> PerSeries:
    """The q-quantile of sorted columns whose first `rows` values are numbers; NaN without any."""
    if not len(ordered):
        return np.full(ordered.shape[1], np.nan)
    at = q * np.maximum(rows - 1, 0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, np.maximum(rows - 1, 0))
    columns = np.arange(ordered.shape[1])
    below, above = ordered[low, columns], ordered[high, columns]
    return below + (at - low) * (above - below)


def _median(values: Matrix, least: int) -> PerSeries:
    """The median of each column, NaN where fewer than `least` values are numbers."""
    rows = np.count_nonzero(np.isfinite(values), axis=0)
    return np.where(rows >= least, _quantile(np.sort(values, axis=0), rows, 0.5), np.nan)


def _running_median(values: Matrix, width: int, least: int, every: int = 1) -> Ends:
    """Medians of `width` rows up to the last one, and up to each `every`-th row before it.

    Newest first; NaN where fewer than `least` are numbers.
    """
    if len(values) < width:
        return np.full((1, values.shape[1]), np.nan)
    stretches = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)[::-every]
    ordered = np.sort(stretches, axis=-1)
    rows = np.count_nonzero(np.isfinite(ordered), axis=-1)
    at = np.maximum(rows - 1, 0)
    low = np.take_along_axis(ordered, (at // 2)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, ((at + 1) // 2)[..., None], axis=-1)[..., 0]
    return np.where(rows >= least, (low + high) / 2, np.nan)


def _capped(values: PerSeries) -> PerSeries:
    return np.clip(values, -LARGEST_SCORE, LARGEST_SCORE)
