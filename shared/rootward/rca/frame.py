"""The frame: raw series as they are scraped → series that mean something row by row.

Counters become rates, histograms and summaries become a mean and a 90th percentile, status
codes become a share of errors, and what only describes a process is left out. What is already
a plain gauge passes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.labelled_calls import seen_at_callee
from rootward.rca.layout import QUANTILE, Layout, layout_of

LONGEST_GAP_STEPS = 3.0
"""A rate may bridge rows without a sample up to this distance, and no recording gap."""

STATISTIC = re.compile(r"_(mean|p\d+|errors_ratio)$")
"""Ends the name of a series that says something of requests, and nothing when there are none."""
_MOMENT = re.compile(r"(_time|timestamp|last_seen)(_(seconds|milliseconds|ms))?$")
_AGE = re.compile(r"(^|_)uptime(_|$)")
_COUNTER = re.compile(r"_(total|count|sum)$")

_Matrix = Float[np.ndarray, "rows series"]
_Column = Float[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Nature:
    """What the values of a window say that its names do not."""

    counters: tuple[int, ...]
    """Columns that are counted upwards."""
    still: tuple[int, ...]
    """Columns that are named like counters and have not risen so far."""
    described: tuple[int, ...]
    """Columns that describe a process instead of measuring it."""


def framed(window: Window) -> Window:
    """The same rows with counters, histograms and status codes turned into gauges.

    - `X_total` → `X_rate` (per second), summed over all labels but service and instance;
    - `X_sum` and `X_count` → `X_mean` (weighted by traffic, NaN without) and a rate;
    - `X_bucket` → `X_p90`, interpolated within its bucket;
    - counters with a status code → also `X_errors_ratio`, the share of failed ones;
    - what a client measured of a service it names → that service, `X_from_<caller>`;
    - infinities → NaN; `*_info`, `*_created`, moments and ages of a process are left out;
    - all else passes unchanged.

    A name alone makes no counter: its values must rise and fall back at most now and then, as
    a restart makes them do. Rates bridge at most `LONGEST_GAP_STEPS`; the first row has none.
    """
    return laid_out(window)[0]


def laid_out(window: Window) -> tuple[Window, Layout, Nature]:
    """The frame of a window, and what later rows are folded by."""
    window = seen_at_callee(window)
    values = measured(window.values)
    nature = nature_of(window.series, values)
    layout = layout_of(window.series, nature.counters, nature.described)
    values[:, layout.counters] = _born_at_zero(values[:, layout.counters], layout)
    table = folded(values, window.times, window.step_seconds, layout)
    frame = Window(layout.series, window.times, table, window.step_seconds, window.onset)
    return frame, layout, nature


def measured(values: _Matrix) -> _Matrix:
    """A copy in which infinities are NaN."""
    return np.where(np.isfinite(values), values, np.nan)


def nature_of(series: Sequence[Series], values: _Matrix) -> Nature:
    """Which columns are counters, and which only describe."""
    families: dict[str, int] = {}
    named = [c for c, one in enumerate(series) if _is_counted(one)]
    family = np.array([families.setdefault(series[c].metric, len(families)) for c in named],
                      dtype=np.int64)  # fmt: skip
    counted, still = _only_rising(values[:, named], family, len(families))
    return Nature(
        tuple(c for c, f in zip(named, family, strict=True) if counted[f]),
        tuple(c for c, f in zip(named, family, strict=True) if still[f]),
        _descriptions(series, values),
    )


def folded(
    values: _Matrix, times: _Column, step_seconds: float, layout: Layout, *, newest: int = 0
) -> Float[np.ndarray, "newest columns"]:
    """The columns of the layout in all rows, or in the newest ones alone.

    Rates look back, so that `values` begins `LONGEST_GAP_STEPS` rows before the first one wanted.
    """
    longest = LONGEST_GAP_STEPS * step_seconds * 1.001
    rates = per_second(values[:, layout.counters], times, longest)[-newest:]
    sums = summed(rates, layout.members, layout.starts)
    none = np.zeros((len(sums), 1))
    parts = np.nan_to_num(np.hstack([sums, none]))
    table = [
        values[-newest:, layout.passed],
        sums[:, layout.rates],
        _ratio(sums[:, layout.means[0]], sums[:, layout.means[1]]),
        _ratio(parts[:, layout.shares[0]], sums[:, layout.shares[1]]),
        *(quantile_of_buckets(d.bounds, sums[:, d.sums], QUANTILE) for d in layout.distributions),
    ]
    return np.hstack(table)[:, layout.order]


def per_second(values: _Matrix, times: _Column, longest_seconds: float) -> _Matrix:
    """Increase per second since the sample before, NaN where there is none near enough.

    A fall is a restart: the counter began at 0 again, so the new value is the increase.
    """
    before = _sample_before(values)
    earlier = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    elapsed = times[:, None] - times[np.maximum(before, 0)]
    increase = np.where(values < earlier, values, values - earlier)
    known = (before >= 0) & (elapsed > 0) & (elapsed <= longest_seconds)
    return np.divide(increase, elapsed, out=np.full(values.shape, np.nan), where=known)


def quantile_of_buckets(
    bounds: Float[np.ndarray, "*histograms buckets"],
    rates: Float[np.ndarray, "rows *histograms buckets"],
    q: float,
) -> Float[np.ndarray, rows * histograms]:
    """The q-quantile from cumulative bucket rates, linear within a bucket.

    `bounds` ascend; in an infinite last bucket the answer is the highest finite bound. NaN
    where nothing was counted.
    """
    cumulative = np.maximum.accumulate(np.nan_to_num(rates), axis=-1)
    total = cumulative[..., -1]
    rank = q * total
    at = np.argmax(cumulative >= rank[..., None], axis=-1)[..., None]
    uppers = np.broadcast_to(bounds, rates.shape)

    def of(table: np.ndarray, place: np.ndarray) -> np.ndarray:
        return np.asarray(np.take_along_axis(table, place, axis=-1)[..., 0])

    first = at[..., 0] == 0
    previous = np.maximum(at - 1, 0)
    below = np.where(first, 0.0, of(cumulative, previous))
    low = np.where(first, np.minimum(bounds[..., 0], 0.0), of(uppers, previous))
    upper = of(uppers, at)
    high = np.where(np.isfinite(upper), upper, low)
    inside = of(cumulative, at) - below
    share = np.divide(rank - below, inside, out=np.zeros(rank.shape), where=inside > 0)
    return np.where(total > 0, low + share * (high - low), np.nan)


def summed(
    values: _Matrix, members: Int[np.ndarray, " members"], starts: Int[np.ndarray, " sums"]
) -> Float[np.ndarray, "rows sums"]:
    """Sums of columns: `members` holds those of one after the other, which begin at `starts`.

    NaN where none of its columns was measured.
    """
    if not len(starts):
        return np.zeros((len(values), 0))
    table = values[:, members]
    known = np.isfinite(table)
    sums = np.add.reduceat(np.where(known, table, 0.0), starts, axis=1)
    return np.where(np.logical_or.reduceat(known, starts, axis=1), sums, np.nan)


@lru_cache(maxsize=65536)
def _names_a_counter(metric: str) -> bool:
    return _COUNTER.search(metric) is not None


def _is_counted(series: Series) -> bool:
    """Whether the name is that of a counter."""
    if series.metric.endswith("_bucket"):
        return bool(series.label("le") or series.label("vmrange"))
    return _names_a_counter(series.metric)


def _only_rising(
    values: _Matrix, family: Int[np.ndarray, " series"], families: int
) -> tuple[Bool[np.ndarray, " families"], Bool[np.ndarray, " families"]]:
    """Which families of columns rise, and fall back to under half no more than now and then.

    Also those that might and have not risen so far.
    """
    before = _sample_before(values)
    earlier = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    earlier = np.where(before >= 0, earlier, np.nan)
    fell = values < earlier

    def per_family(flags: np.ndarray) -> np.ndarray:
        return np.bincount(family, np.count_nonzero(flags, axis=0), minlength=families)

    rises, falls = per_family(values > earlier), per_family(fell)
    wiggles = per_family((fell & (values > earlier / 2)) | (values < 0)) > 0
    few_falls = falls <= 0.1 * (rises + falls)
    return ~wiggles & (rises > 0) & few_falls, ~wiggles & (rises == 0)


def _sample_before(values: _Matrix) -> Int[np.ndarray, "rows series"]:
    """The row of the sample before each row, -1 where there is none."""
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    return np.vstack([np.full((1, values.shape[1]), -1), last[:-1]])


@lru_cache(maxsize=65536)
def _describes(metric: str) -> str:
    """`info`, `moment` or `age` where the name may be that of a description."""
    if _AGE.search(metric):
        return "age"
    if metric.endswith("_info"):
        return "info"
    return "moment" if _MOMENT.search(metric) or metric.endswith("_created") else ""


def _descriptions(series: Sequence[Series], values: _Matrix) -> tuple[int, ...]:
    """Columns that describe a process instead of measuring it.

    A start time or an age moves by all that it ever was when a process begins anew: next to such
    a leap nothing else would be heard, and restarts leave their traces elsewhere.
    """
    found = []
    for c, one in enumerate(series):
        if not (sort := _describes(one.metric)):
            continue
        column = values[:, c][np.isfinite(values[:, c])]
        only = {"info": column == 1, "moment": column > 1e9, "age": column == column}
        if np.all(only[sort]):
            found.append(c)
    return tuple(found)


def _born_at_zero(values: _Matrix, layout: Layout) -> _Matrix:
    """A label set that appears while its siblings were measured already began at 0.

    Client libraries make a label set when it is first counted: without this, the first errors
    of a service would be lost, since a rate needs a sample before.
    """
    if not layout.owners:
        return values
    known, starts = np.isfinite(values), layout.starts[: layout.owners]
    members = layout.members[: values.shape[1]]
    heard = np.logical_or.reduceat(known[:, members], starts, axis=1)
    owner = np.zeros(values.shape[1], dtype=np.int64)
    owner[members] = np.repeat(np.arange(layout.owners), np.diff(np.append(starts, len(members))))
    first = np.argmax(known, axis=0)
    columns = np.flatnonzero((first > 0) & heard[first - 1, owner])
    grown = values.copy()
    grown[first[columns] - 1, columns] = 0.0
    return grown


def _ratio(part: _Matrix, whole: _Matrix) -> _Matrix:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
