"""How far series departed from their baseline, on a scale that a constant cannot break."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.medians import quantile

LEVEL_FLOOR = 0.01
"""Smallest scale as a share of the level: a change of less than that is no news."""
SIBLING_SCALE = 0.3
"""Scale of a series that never varied, as a share of what its siblings vary by."""
NOVEL_ROWS = 3
"""Rows that a series that never varied must be away for: any other value is news, however late."""
LARGEST = 1e6
"""Deviations are cut here."""
_SUSTAINED = 0.8
"""Quantile of the deviations after the onset: a fifth of the rows must be that far away."""
_BLOCKS = 60
"""Most pseudo-incidents that are looked at inside a baseline."""
HABIT = 3.0
"""Deviations that a burst is worth at most that the baseline has shown `_TIMES` times before."""
_TIMES = 3
_STRETCHES = 12
"""Parts of the baseline that bursts are counted in: one earlier fault fills two at most."""
_BRIEF = 12
"""Longest incident in rows that may be no more than a burst."""


LARGEST_VALUE = 1e150
"""Values from here on are taken as infinite."""


def measured(values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The values with infinities as NaN, and what is too large to be squared: none was measured."""
    return np.where(np.abs(values) < LARGEST_VALUE, values, np.nan)


def quantiles(
    values: Float[np.ndarray, "rows series"], shares: tuple[float, ...]
) -> Float[np.ndarray, "shares series"]:
    """Quantiles of each column over its measured rows (linear); NaN for an empty column."""
    return _quantiles(*_ordered(measured(values)), shares)


def _ordered(
    values: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, "rows series"], Int[np.ndarray, " series"]]:
    """Each column in ascending order, what was not measured last, and how many rows were."""
    return np.sort(values, axis=0), np.isfinite(values).sum(axis=0)


def _quantiles(
    ordered: Float[np.ndarray, "rows series"],
    count: Int[np.ndarray, " series"],
    shares: tuple[float, ...],
) -> Float[np.ndarray, "shares series"]:
    """The same of columns in ascending order, of which the first `count` rows are measured."""
    return np.stack([quantile(ordered.T, count, share) for share in shares])


def median(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, " series"]:
    """Median of each column over its measured rows; NaN for an empty column."""
    return quantiles(values, (0.5,))[0]


def mean_and_deviation(
    values: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Mean and standard deviation of each column over its measured rows; 0 where there is none.

    The deviation of a column that holds one value is exactly 0.
    """
    mean, deviation = _deviation(values)
    lowest, highest = extremes(values)
    return mean, np.where(highest > lowest, deviation, 0.0)


def _deviation(
    values: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """The same, where rounding may leave a deviation to a column that holds one value."""
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / count
    away = np.where(known, values - mean, 0.0)
    return mean, np.sqrt((away**2).sum(axis=0) / count)


def extremes(
    values: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Smallest and largest measured value of each column; NaN for an empty column."""
    if not len(values):
        empty = np.full(values.shape[1], np.nan)
        return empty, empty.copy()
    x = measured(values)
    return np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)


def usual_extreme(
    away: Float[np.ndarray, "rows series"], length: int
) -> Float[np.ndarray, " series"]:
    """The largest of `length` rows running, as it usually is: the median over the baseline.

    It is the statistic that an incident of that length is judged by, at pseudo-onsets where
    nothing began. Bursts and memory raise it; a few earlier faults do not move a median.
    """
    rows = len(away)
    length = max(1, min(length, rows))
    starts = np.unique(np.linspace(0, rows - length, min(rows - length + 1, _BLOCKS)).astype(int))
    return median(_highest(away, starts, starts + length))


def _highest(
    values: Float[np.ndarray, "rows series"],
    starts: Int[np.ndarray, " blocks"],
    ends: Int[np.ndarray, " blocks"],
) -> Float[np.ndarray, "blocks series"]:
    """The largest measured value of each block of rows, which may overlap.

    Made of the extremes between all starts and ends, and of runs of 2, 4, 8, … of these.
    """
    bounds = np.union1d(starts, ends)
    runs = np.fmax.reduceat(values[: bounds[-1]], bounds[:-1], axis=0)
    first, last = np.searchsorted(bounds, starts), np.searchsorted(bounds, ends)
    found, width = np.empty((len(starts), values.shape[1])), 1
    while True:
        (fitting,) = np.nonzero((last - first >= width) & (last - first < 2 * width))
        found[fitting] = np.fmax(runs[first[fitting]], runs[last[fitting] - width])
        if width > np.max(last - first) // 2:
            return found
        runs, width = np.fmax(runs[:-width], runs[width:]), 2 * width


def recurring_extreme(
    away: Float[np.ndarray, "rows series"], length: int
) -> Float[np.ndarray, " series"]:
    """What `length` rows running have sustained at three separate times in the baseline.

    Of twelve parts the one with the third-largest burst tells. A series that is nearly constant
    and leaps now and then has hardly any deviation, and yet its next leap is no news. 0 where
    the baseline is too short to tell a habit from one event.
    """
    parts = min(_STRETCHES, len(away) // max(2 * length, 5))
    if parts <= 2 * _TIMES:
        return np.zeros(away.shape[1])
    starts = np.linspace(0, len(away) - length + 1, parts + 1).astype(int)
    bursts = np.stack([_held(away[a : b + length - 1], length) for a, b in pairwise(starts)])
    return np.asarray(np.sort(bursts, axis=0)[-_TIMES])


def _held(away: Float[np.ndarray, "rows series"], length: int) -> Float[np.ndarray, " series"]:
    """The most that `length` rows running have sustained, gaps counted as no deviation."""
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(np.nan_to_num(away), length, 0))
    position = _SUSTAINED * (length - 1)
    low = int(position)
    below, above = runs[..., low], runs[..., min(low + 1, length - 1)]
    return np.asarray((below + (above - below) * (position - low)).max(axis=0))


@dataclass(frozen=True, eq=False)
class Departures:
    """What each series did after the onset, against what it did before."""

    centre: Float[np.ndarray, " series"]
    """Baseline median; NaN where the baseline holds no value."""
    scale: Float[np.ndarray, " series"]
    """What counts as one deviation, in the unit of the series; above 0."""
    z: Float[np.ndarray, "rows series"]
    """Signed deviations of every row, baseline included; NaN where not measured."""
    size: Float[np.ndarray, " series"]
    """Deviations that a fifth of the rows after the onset exceed; 0 where not measured.

    For a series that never varied, those that three rows exceed: any other value is news.
    """
    direction: Int[np.ndarray, " series"]
    """Sign of the median deviation after the onset."""
    trust: Float[np.ndarray, " series"]
    """How much the baseline is worth, 0 to 1: few measured rows are worth little."""
    gone: Float[np.ndarray, " series"]
    """Share of the rows after the onset in which the series, and not all others, is missing."""


def departures(
    values: Float[np.ndarray, "rows series"],
    onset: int,
    siblings: Int[np.ndarray, " series"],
    *,
    least: Float[np.ndarray, " series"] | None = None,
) -> Departures:
    """Compare the rows from `onset` on with the rows before; both must not be empty.

    `siblings` numbers the metrics: series of one number measure the same thing elsewhere, and
    lend their scale to a series that never varied. One deviation is the geometric mean of the
    usual extreme of a stretch as long as the incident and of the standard deviation, so that a
    burst that has been seen before is no news, whether it comes often or seldom. Where neither
    the series nor a sibling ever varied it is a hundredth of the larger of the two levels, before
    and after: a flag that goes out is as far away as one that comes on. `least` is the smallest
    scale that makes sense for each series, in its unit.
    """
    x = measured(values)
    before, after = x[:onset], x[onset:]
    ordered, count = _ordered(before)
    quarter, centre, last_quarter = _quantiles(ordered, count, (0.25, 0.5, 0.75))
    varied = ordered[np.maximum(count - 1, 0), np.arange(x.shape[1])] > ordered[0]
    deviation = np.where(varied, _deviation(before)[1], 0.0)
    own = _usual(np.abs(before - centre), len(after), deviation, last_quarter - quarter)
    scale = _scale(own, deviation, centre, extremes(np.abs(after))[1], siblings)
    if least is not None:
        scale = np.fmax(scale, least)
    still = (count > 0) & (deviation == 0)
    z = np.clip((x - centre) / np.where(scale > 0, scale, 1.0), -LARGEST, LARGEST)
    return Departures(
        centre,
        scale,
        z,
        _size(z[onset:], still),
        np.sign(np.nan_to_num(median(z[onset:]))).astype(np.int64),
        count / (count + 5.0),
        _gone(before, after),
    )


def _usual(
    away: Float[np.ndarray, "before series"],
    length: int,
    deviation: Float[np.ndarray, " series"],
    quartiles: Float[np.ndarray, " series"],
) -> Float[np.ndarray, " series"]:
    """What one deviation is by a series' own baseline, for an incident of `length` rows."""
    stretch = min(length, max(1, len(away) // 4))
    usual = np.fmax(usual_extreme(away, stretch), quartiles / 1.349)
    own = np.where(usual > 0, np.sqrt(np.nan_to_num(usual) * deviation), deviation)
    return np.fmax(own, recurring_extreme(away, length) / HABIT) if length <= _BRIEF else own


def _scale(
    own: Float[np.ndarray, " series"],
    deviation: Float[np.ndarray, " series"],
    centre: Float[np.ndarray, " series"],
    furthest: Float[np.ndarray, " series"],
    siblings: Int[np.ndarray, " series"],
) -> Float[np.ndarray, " series"]:
    """The same with the floors; `furthest` is the largest size after the onset."""
    lent = SIBLING_SCALE * _of_siblings(deviation, siblings)
    never = (deviation == 0) & (lent == 0)
    own = np.where(never, LEVEL_FLOOR * np.nan_to_num(furthest), own)
    floored = np.fmax(own, LEVEL_FLOOR * np.abs(centre))
    return np.where(floored > 0, floored, lent)


def _size(
    z: Float[np.ndarray, "after series"], still: Bool[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    ordered, count = _ordered(np.abs(z))
    sustained = np.nan_to_num(_quantiles(ordered, count, (_SUSTAINED,))[0])
    place = count - min(NOVEL_ROWS, len(z))
    columns = np.arange(z.shape[1])
    novel = np.where(place >= 0, ordered[np.maximum(place, 0), columns], 0.0)
    return np.where(still, np.fmax(sustained, novel), sustained)


def _of_siblings(
    scale: Float[np.ndarray, " series"], siblings: Int[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """For each series the median scale of those siblings that varied at all; 0 without any."""
    found = np.zeros(len(scale))
    for number in np.unique(siblings):
        members = siblings == number
        varied = scale[members][scale[members] > 0]
        found[members] = np.median(varied) if len(varied) else 0.0
    return found


def _gone(
    before: Float[np.ndarray, "before series"], after: Float[np.ndarray, "after series"]
) -> Float[np.ndarray, " series"]:
    more = np.isnan(after).mean(axis=0) - np.isnan(before).mean(axis=0)
    return np.clip(more - max(float(np.median(more)), 0.0), 0.0, 1.0)
