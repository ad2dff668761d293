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

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import special

from rootward.numerics.medians import (
    ByRow,
    Ends,
    PerSeries,
    known,
    median,
    quantile,
    running_median,
)

Matrix = Float[np.ndarray, "rows series"]

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
_TOGETHER = 128
"""Series that are looked at together: what is made of them stays in the processor's cache."""
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
    rows_used, narrow = usable[:end], range(0, values.shape[1], _TOGETHER)
    parts = [_summary(values[:end, k : k + _TOGETHER], rows_used) for k in narrow]
    told = _Summary.beside(parts) if parts else _summary(values[:end], rows_used)
    least = np.maximum(floor, told.resolution / 2)
    scale = np.maximum(_shrunk(told.scale, told.centre, told.rows, group, rule), least)
    relative = np.divide(scale, told.scale, out=np.ones_like(scale), where=told.scale > 0)
    judged = told.rows >= rule.least_rows
    tail = rule.false_rows / max(1, int(np.count_nonzero(judged))) / len(told.sizes)
    bounds = [
        _bound(sizes, np.maximum(relative * sizes.outer_scale, least), tail, rule)
        for sizes in told.sizes
    ]
    return Calibration(told.centre, scale, np.where(judged, np.vstack(bounds), np.inf), told.rows)


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
    fast, slow = median(tail[-FAST:], 2), median(tail[-SLOW:], 6)
    centre = normal.centre
    before = np.vstack(
        [
            centre,
            centre,
            median(reference[-FAST - BEFORE_FAST : -FAST], BEFORE_FAST // 2),
            median(reference[-SLOW - BEFORE_SLOW : -SLOW], BEFORE_SLOW // 2),
        ]
    )
    ratios = np.nan_to_num((np.vstack([fast, slow, fast, slow]) - before) / normal.bounds, nan=0.0)
    largest = np.argmax(np.abs(ratios), axis=0)
    columns = np.arange(values.shape[1])
    after = median(tail[-FAST:], 1)
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


@dataclass(frozen=True, eq=False)
class _Sizes:
    """How large a statistic was over the baseline."""

    outer: PerSeries
    """Its size is larger at a tenth of the ends."""
    far: PerSeries
    """The same for three of a hundred."""
    ends: Int[np.ndarray, " series"]
    freedom: PerSeries
    """Independent ends."""

    @property
    def outer_scale(self) -> PerSeries:
        """The deviation that the outer tenth of the sizes tells."""
        return np.nan_to_num(self.outer / _NORMAL_90)


@dataclass(frozen=True, eq=False)
class _Summary:
    """What the baseline of some series tells of each by itself."""

    rows: Int[np.ndarray, " series"]
    centre: PerSeries
    resolution: PerSeries
    """The smallest distance between two values that a series took; 0 for a constant one."""
    scale: PerSeries
    """The larger of what the quartiles and what the outer tenth say the deviation is."""
    sizes: tuple[_Sizes, ...]
    """Of the four statistics."""

    @classmethod
    def beside(cls, parts: list[_Summary]) -> _Summary:
        """The summaries of neighbours as one."""

        def joined(told: Callable[[_Summary], np.ndarray]) -> np.ndarray:
            return np.concatenate([told(part) for part in parts])

        def sizes(k: int) -> _Sizes:
            return _Sizes(
                joined(lambda part: part.sizes[k].outer),
                joined(lambda part: part.sizes[k].far),
                joined(lambda part: part.sizes[k].ends),
                joined(lambda part: part.sizes[k].freedom),
            )

        return cls(
            joined(lambda part: part.rows),
            joined(lambda part: part.centre),
            joined(lambda part: part.resolution),
            joined(lambda part: part.scale),
            tuple(sizes(k) for k in range(4)),
        )


def _summary(values: Matrix, usable: Bool[np.ndarray, " rows"]) -> _Summary:
    """Each series by itself, from the usable rows."""
    base = np.where(usable, values.T, np.nan)
    ordered = np.sort(base, axis=1)
    rows = known(base)
    centre = quantile(ordered, rows, 0.5)
    deviations = np.sort(np.abs(base - centre[:, None]), axis=1)
    middle = quantile(deviations, rows, 0.5) / _NORMAL_75
    outer = quantile(deviations, rows, 0.9) / _NORMAL_90
    short, long = running_median(base, FAST, 2), running_median(base, SLOW, 6, _EVERY)
    fast = _sizes(short - centre[:, None], _FRESH * _independent(base))
    return _Summary(
        rows,
        centre,
        _resolution(ordered),
        np.nan_to_num(np.maximum(middle, outer)),
        (
            fast,
            _sizes(long - centre[:, None]),
            _sizes(_against(short[:, ::_EVERY], base, FAST, BEFORE_FAST)),
            _sizes(_against(long, base, SLOW, BEFORE_SLOW)),
        ),
    )


def _against(
    newest: Ends, base: ByRow, width: int, before: int
) -> Float[np.ndarray, "series earlier"]:
    """Medians of `width` rows, less those of the rows before them."""
    earlier = running_median(base[:, :-width], before, before // 2, _EVERY)
    return newest[:, : earlier.shape[1]] - earlier


def _sizes(statistic: Ends, freedom: PerSeries | None = None) -> _Sizes:
    sizes = np.sort(np.abs(statistic), axis=1)
    ends = known(statistic)
    return _Sizes(
        quantile(sizes, ends, 0.9),
        quantile(sizes, ends, 0.97),
        ends,
        _independent(statistic) if freedom is None else freedom,
    )


def _bound(sizes: _Sizes, scale: PerSeries, tail: float, rule: Rule) -> PerSeries:
    """The size that noise passes with the given probability: the largest of three answers.

    Student's t for few independent rows; an exponential tail through the outer quantiles for
    values whose tail is heavier; and what the baseline itself does now and then.
    """
    outer, far = sizes.outer, sizes.far
    light = scale * -special.stdtrit(np.maximum(sizes.freedom, 1.0), tail)
    heavy = outer + (far - outer) * np.log(0.1 / (2 * tail)) / np.log(0.1 / 0.03)
    bound = np.maximum(light, np.maximum(heavy, rule.habit * far))
    return np.where(sizes.ends > 0, bound, np.inf)


def independent_rows(values: Matrix) -> PerSeries:
    """How many independent rows tell as much as these, from the correlation of neighbours.

    n (1 - r) / (1 + r) with r corrected for its bias in short series (Kendall 1954).
    """
    return _independent(values.T)


def _independent(values: Float[np.ndarray, "series places"]) -> PerSeries:
    """The same, a series a line."""
    rows = known(values)
    total = np.nansum(values, axis=1)
    mean = np.divide(total, rows, out=np.zeros(len(values)), where=rows > 0)
    deviation = np.nan_to_num(values - mean[:, None])
    energy = np.einsum("st,st->s", deviation, deviation)
    product = np.einsum("st,st->s", deviation[:, 1:], deviation[:, :-1])
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
        shares = share[members][np.isfinite(share[members])]
        if len(shares) > 2:
            pooled[members] = np.median(shares) * np.abs(centre[members])
    weight = rule.prior_rows / (rule.prior_rows + np.maximum(rows, 1))
    mixed = np.sqrt((1 - weight) * raw**2 + weight * np.nan_to_num(pooled) ** 2)
    return np.nan_to_num(mixed)


def _members(group: Int[np.ndarray, " series"]) -> list[Int[np.ndarray, " members"]]:
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return np.split(order, cuts)


def _resolution(ordered: ByRow) -> PerSeries:
    steps = np.diff(ordered, axis=1)
    smallest = np.min(steps, axis=1, initial=np.inf, where=steps > 0)
    return np.where(np.isfinite(smallest), smallest, 0.0)


def _capped(values: PerSeries) -> PerSeries:
    return np.clip(values, -LARGEST_SCORE, LARGEST_SCORE)
