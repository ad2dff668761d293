"""The frame: raw series as they are scraped → series that mean something row by row.

Counters become rates, histograms and summaries become a mean and a 90th percentile, status
codes become a share of errors, and what only describes a process is left out. What is already
a plain gauge passes unchanged.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.model.series import INSTANCE, Series
from rootward.model.window import Window
from rootward.rca.labelled_calls import seen_at_callee

QUANTILE = 0.9
LONGEST_GAP_STEPS = 3.0
"""A rate may bridge rows without a sample up to this distance, and no recording gap."""

STATISTIC = re.compile(r"_(mean|p\d+|errors_ratio)$")
"""Ends the name of a series that says something of requests, and nothing when there are none."""
_MOMENT = re.compile(r"(_time|timestamp|last_seen)(_(seconds|milliseconds|ms))?$")
_AGE = re.compile(r"(^|_)uptime(_|$)")
_COUNTER = re.compile(r"_(total|count|sum)$")
_UNIT = re.compile(r"(_(duration|latency|time))?(_(seconds|milliseconds|ms|us|bytes))?$")
_CODE_LABELS = (
    *("code", "status_code", "http_status_code", "http_response_status_code", "response_code"),
    *("grpc_code", "grpc_status", "rpc_grpc_status_code", "status"),
)
_CODE = re.compile(r"[1-5](\d\d|xx)$|ok$|success$|error$|fail(ed|ure)?$", re.IGNORECASE)
_BAD_CODE = re.compile(r"5(\d\d|xx)$|error$|fail(ed|ure)?$", re.IGNORECASE)
_BAD_GRPC = frozenset(
    {"Unknown", "DeadlineExceeded", "Internal", "Unavailable", "DataLoss", "Unimplemented"}
)
_Owner = tuple[str, str, str]
"""Metric family, service, instance: what the columns are folded into."""

_Matrix = Float[np.ndarray, "rows series"]
_Column = Float[np.ndarray, " rows"]


@dataclass(frozen=True)
class _Derived:
    """A new column, and the column of the raw window in whose place it stands."""

    place: int
    series: Series
    values: _Column


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
    window = seen_at_callee(window)
    values = np.where(np.isfinite(window.values), window.values, np.nan)
    counters = _counter_columns(window.series, values)
    described = _descriptions(window.series, values)
    kept = [c for c in range(len(window.series)) if c not in counters and c not in described]
    columns = [_Derived(c, window.series[c], values[:, c]) for c in kept]
    if counters:
        rates = _Rates(window, values, counters)
        taken = {column.series for column in columns}
        columns += [d for d in _derived(rates) if d.series not in taken]
    columns.sort(key=lambda column: (column.place, column.series))
    table = np.column_stack([c.values for c in columns]) if columns else values[:, :0]
    series = tuple(column.series for column in columns)
    return Window(series, window.times, table, window.step_seconds, window.onset)


def per_second(values: _Matrix, times: _Column, longest_seconds: float) -> _Matrix:
    """Increase per second since the sample before, NaN where there is none near enough.

    A fall is a restart: the counter began at 0 again, so the new value is the increase.
    """
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    before = np.vstack([np.full((1, values.shape[1]), -1), last[:-1]])
    earlier = np.take_along_axis(values, np.maximum(before, 0), axis=0)
    elapsed = times[:, None] - times[np.maximum(before, 0)]
    increase = np.where(values < earlier, values, values - earlier)
    known = (before >= 0) & (elapsed > 0) & (elapsed <= longest_seconds)
    return np.divide(increase, elapsed, out=np.full(values.shape, np.nan), where=known)


def quantile_of_buckets(
    bounds: Float[np.ndarray, " buckets"], rates: Float[np.ndarray, "rows buckets"], q: float
) -> _Column:
    """The q-quantile from cumulative bucket rates, linear within a bucket.

    `bounds` ascend; in an infinite last bucket the answer is the highest finite bound. NaN
    where nothing was counted.
    """
    cumulative = np.maximum.accumulate(np.nan_to_num(rates), axis=1)
    total = cumulative[:, -1]
    rank = q * total
    at = np.argmax(cumulative >= rank[:, None], axis=1)
    rows = np.arange(len(rates))
    below = np.where(at > 0, cumulative[rows, np.maximum(at - 1, 0)], 0.0)
    low = np.where(at > 0, bounds[np.maximum(at - 1, 0)], np.minimum(bounds[0], 0.0))
    high = np.where(np.isfinite(bounds[at]), bounds[at], low)
    inside = cumulative[rows, at] - below
    share = np.divide(rank - below, inside, out=np.zeros(len(rates)), where=inside > 0)
    return np.where(total > 0, low + share * (high - low), np.nan)


def _counter_columns(series: Sequence[Series], values: _Matrix) -> dict[int, str]:
    """Columns that are counters, with the name of their family without the suffix."""
    families: dict[str, list[int]] = defaultdict(list)
    for c, one in enumerate(series):
        if _COUNTER.search(one.metric) or (
            one.metric.endswith("_bucket") and (one.label("le") or one.label("vmrange"))
        ):
            families[one.metric].append(c)
    return {
        c: re.sub(r"_(total|count|sum|bucket)$", "", metric)
        for metric, columns in families.items()
        if _only_rises(values[:, columns])
        for c in columns
    }


def _only_rises(values: _Matrix) -> bool:
    """Whether columns rise, and fall back to under half no more than now and then."""
    rises = falls = 0
    for column in values.T:
        known = column[np.isfinite(column)]
        if len(known) and known.min() < 0:
            return False
        steps = np.diff(known)
        rises += int(np.count_nonzero(steps > 0))
        falls += int(np.count_nonzero(steps < 0))
        if np.any((steps < 0) & (known[1:] > known[:-1] / 2)):
            return False
    return rises > 0 and falls <= 0.1 * (rises + falls)


def _descriptions(series: Sequence[Series], values: _Matrix) -> set[int]:
    """Columns that describe a process instead of measuring it.

    A start time or an age moves by all that it ever was when a process begins anew: next to such
    a leap nothing else would be heard, and restarts leave their traces elsewhere.
    """
    found = set()
    for c, one in enumerate(series):
        column = values[:, c][np.isfinite(values[:, c])]
        is_info = one.metric.endswith("_info") and bool(np.all(column == 1))
        is_moment = _MOMENT.search(one.metric) or one.metric.endswith("_created")
        is_moment = bool(is_moment) and bool(np.all(column > 1e9))
        if is_info or is_moment or _AGE.search(one.metric):
            found.add(c)
    return found


class _Rates:
    """Rates of the counter columns, grouped by family and owner."""

    def __init__(self, window: Window, values: _Matrix, counters: dict[int, str]) -> None:
        columns = sorted(counters)
        raw = values[:, columns]
        self.series = [window.series[c] for c in columns]
        self.places = columns
        self.groups: dict[tuple[_Owner, str], list[int]] = defaultdict(list)
        for k, one in enumerate(self.series):
            family = counters[columns[k]]
            suffix = one.metric[len(family) + 1 :]
            self.groups[((family, one.service, one.instance), suffix)].append(k)
        for group in self.groups.values():
            raw[:, group] = _born_at_zero(raw[:, group])
        longest = LONGEST_GAP_STEPS * window.step_seconds * 1.001
        self.values = per_second(raw, window.times, longest)

    def total(self, columns: Sequence[int]) -> _Column:
        """The sum over columns; NaN where none of them has a rate."""
        part = self.values[:, list(columns)]
        none = np.all(np.isnan(part), axis=1)
        return np.where(none, np.nan, np.nansum(part, axis=1))


def _born_at_zero(values: _Matrix) -> _Matrix:
    """A label set that appears while its siblings were measured already began at 0.

    Client libraries make a label set when it is first counted: without this, the first errors
    of a service would be lost, since a rate needs a sample before.
    """
    known = np.isfinite(values)
    first = np.argmax(known, axis=0)
    seen_before = np.any(known, axis=1)
    grown = values.copy()
    for k in range(values.shape[1]):
        row = int(first[k])
        if row > 0 and known[row, k] and seen_before[row - 1]:
            grown[row - 1, k] = 0.0
    return grown


def _derived(rates: _Rates) -> Iterator[_Derived]:
    """All columns that take the place of counters."""
    for (owner, suffix), columns in rates.groups.items():
        family, place = owner[0], rates.places[columns[0]]
        if suffix == "bucket":
            quantile = _quantile(rates, columns)
            if quantile is not None:
                name = f"{family}_p{round(100 * QUANTILE)}"
                yield _Derived(place, _named(name, owner), quantile)
            continue
        counts = rates.groups.get((owner, "count"))
        if suffix == "sum" and counts:
            mean = _ratio(rates.total(columns), rates.total(counts))
            yield _Derived(place, _named(f"{family}_mean", owner), mean)
            continue
        base = _UNIT.sub("", family) or family if suffix == "count" else family
        total = rates.total(columns)
        yield _Derived(place, _named(f"{base}_rate", owner), total)
        bad = _failed(rates, columns)
        if bad is not None:
            share = _ratio(np.nan_to_num(rates.total(bad)) if bad else 0.0 * total, total)
            yield _Derived(place, _named(f"{base}_errors_ratio", owner), share)


def _named(metric: str, owner: _Owner) -> Series:
    _, service, instance = owner
    return Series.of(metric, service, **{INSTANCE: instance})


def _ratio(part: _Column, whole: _Column) -> _Column:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _quantile(rates: _Rates, columns: list[int]) -> _Column | None:
    """The quantile of all label sets together; None where there are too few buckets."""
    by_bound: dict[float, list[int]] = defaultdict(list)
    for k in columns:
        try:
            by_bound[float(rates.series[k].label("le"))].append(k)
        except ValueError:
            continue
    if len(by_bound) < 2:
        return None
    bounds = np.array(sorted(by_bound))
    table = np.column_stack([rates.total(by_bound[bound]) for bound in bounds])
    return quantile_of_buckets(bounds, table, QUANTILE)


def _failed(rates: _Rates, columns: list[int]) -> list[int] | None:
    """Columns that count failures by their status code; None where no label is a code."""
    for label in _CODE_LABELS:
        codes = [rates.series[k].label(label) for k in columns]
        if any(_CODE.match(code) or code in _BAD_GRPC for code in codes):
            return [
                k
                for k, code in zip(columns, codes, strict=True)
                if _BAD_CODE.match(code) or code in _BAD_GRPC
            ]
    return None
