"""Series for plots: as many points as a screen can show, gaps as gaps, the usual band."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InsufficientData, InvalidInput
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.ports import Platform, WindowQuery
from rootward.rca.frame import framed

SLICE_ROWS = 10_000
"""Rows that are read at once; a longer stretch is read and thinned part by part."""
MOST_ROWS = 600_000
"""Rows of a stretch; beyond them steps become longer."""
LEAD_ROWS = 4
"""Rows before each part, for rates to start from."""
BASELINE_ROWS = 360
_BAND = 3.0
"""Half width of the band in robust deviations, as in a diagnosis."""
_ROBUST = 1.4826
_SERVICE = re.compile(r'[{,]service="((?:[^"\\]|\\.)*)"')

Points = tuple[tuple[float, ...], tuple[float | None, ...]]
"""Times in Unix seconds, values; None where nothing was measured."""


@dataclass(frozen=True)
class Band:
    """Where a series stays as a rule: median and three robust deviations of its baseline."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Curve:
    """One series over a stretch of time."""

    series: Series
    times: tuple[float, ...]
    values: tuple[float | None, ...]
    band: Band | None


@dataclass(frozen=True)
class Stretch:
    """What is to be drawn."""

    tenant: str
    keys: tuple[str, ...]
    """Keys of series, raw or as a diagnosis names them."""
    start_unix: float
    end_unix: float
    points: int
    """Most points of a series."""
    onset_unix: float | None = None
    """The rows before it are the baseline; without it there is no band."""


def curves(platform: Platform, asked: Stretch) -> tuple[tuple[Curve, ...], float]:
    """The series that have samples there, and the distance of the rows that were read.

    Raises:
        InvalidInput: a key names no service.
    """
    services = frozenset(service_of(key) for key in asked.keys)
    length = asked.end_unix - asked.start_unix
    step = platform.step_seconds * max(1, math.ceil(length / platform.step_seconds / MOST_ROWS))
    rows = max(1, math.ceil(length / step))
    budget = asked.points if rows > asked.points else rows
    parts: dict[str, dict[int, Points]] = {}
    named: dict[str, Series] = {}
    for place, (end, count) in enumerate(_slices(platform, asked, rows, step)):
        share = max(2, round(budget * count / rows))
        window = _window(platform, asked.tenant, services, end, count + LEAD_ROWS, step)
        for series, times, values in _columns(window, asked.keys, end - count * step):
            named[series.key] = series
            parts.setdefault(series.key, {})[place] = thinned(times, values, share)
    bands = {} if asked.onset_unix is None else _bands(platform, asked, services)
    return tuple(
        _joined(named[key], parts[key], bands.get(key)) for key in asked.keys if key in named
    ), step


def _slices(
    platform: Platform, asked: Stretch, rows: int, step: float
) -> Iterator[tuple[float, int]]:
    """End and rows of each part that is read, but those before the oldest sample."""
    ends = range(SLICE_ROWS, rows + SLICE_ROWS, SLICE_ROWS)
    oldest = platform.samples.oldest_unix(asked.tenant) if len(ends) > 1 else None
    for last in ends:
        count = min(SLICE_ROWS, rows - last + SLICE_ROWS)
        end = asked.start_unix + min(last, rows) * step
        if oldest is None or end >= oldest - 1e-6:  # the store keeps microseconds
            yield end, count


def thinned(
    times: Float[np.ndarray, " rows"], values: Float[np.ndarray, " rows"], points: int
) -> Points:
    """At most `points` points: the least and the greatest of each bucket, in their order.

    A bucket in which nothing was measured is one point without a value; extremes are never lost.
    """
    rows = len(times)
    if rows <= points:
        return tuple(map(float, times)), tuple(_plain(v) for v in values)
    kept: list[int] = []
    for bucket in np.array_split(np.arange(rows), max(1, points // 2)):
        measured = bucket[np.isfinite(values[bucket])]
        if len(measured) == 0:
            kept.append(int(bucket[0]))
            continue
        least = int(measured[np.argmin(values[measured])])
        greatest = int(measured[np.argmax(values[measured])])
        kept += sorted({least, greatest})
    return tuple(float(times[k]) for k in kept), tuple(_plain(values[k]) for k in kept)


def service_of(key: str) -> str:
    """The service that a series key names.

    Raises:
        InvalidInput: it names none, so it is no key of a series.
    """
    found = _SERVICE.search(key)
    if found is None:
        raise InvalidInput(f"{key[:200]!r} is no key of a series; GET /api/v1/series lists them")
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[1])


def _window(
    platform: Platform,
    tenant: str,
    services: frozenset[str],
    end: float,
    rows: int,
    step: float,
) -> Window | None:
    try:
        return platform.samples.window(WindowQuery(end, rows, step, tenant, services))
    except InsufficientData:
        return None


def _columns(
    window: Window | None, keys: Sequence[str], after: float
) -> list[tuple[Series, np.ndarray, np.ndarray]]:
    """The wanted columns of a window, as a diagnosis sees them or else as they were sent."""
    if window is None:
        return []
    shown = window.times > after + 1e-6
    found: dict[str, tuple[Series, np.ndarray, np.ndarray]] = {}
    for source in (framed(window), window):
        for column, series in enumerate(source.series):
            if series.key in keys and series.key not in found:
                values = source.values[shown, column]
                found[series.key] = (series, source.times[shown], values)
    return list(found.values())


def _bands(platform: Platform, asked: Stretch, services: frozenset[str]) -> dict[str, Band]:
    onset = asked.onset_unix or 0.0
    window = _window(
        platform, asked.tenant, services, onset, BASELINE_ROWS + LEAD_ROWS, platform.step_seconds
    )
    return {
        series.key: band
        for series, _, values in _columns(window, asked.keys, -math.inf)
        if (band := _band(values[np.isfinite(values)])) is not None
    }


def _band(values: Float[np.ndarray, " rows"]) -> Band | None:
    if len(values) == 0:
        return None
    middle = float(np.median(values))
    width = _BAND * _ROBUST * float(np.median(np.abs(values - middle)))
    return Band(middle - width, middle, middle + width)


def _joined(series: Series, parts: Mapping[int, Points], band: Band | None) -> Curve:
    """One curve of parts by their place; where a place is missing nothing was measured."""
    times: list[float] = []
    values: list[float | None] = []
    for place, (its_times, its_values) in parts.items():
        if times and place - 1 not in parts:
            times.append((times[-1] + its_times[0]) / 2)
            values.append(None)
        times += its_times
        values += its_values
    return Curve(series, tuple(times), tuple(values), band)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
