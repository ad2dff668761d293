"""Axes: where a time or a value stands in a plot, and which ticks to label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rootward_dashboard import figures

_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800),
)


@dataclass(frozen=True)
class TimeAxis:
    """A stretch of time across the whole width of a plot; Unix seconds."""

    start: float
    end: float

    @classmethod
    def over(cls, times: Iterable[float]) -> TimeAxis:
        """From the first to the last of some times; one second wide where that is nothing."""
        known = [t for t in times if math.isfinite(t)]
        if not known:
            return cls(0.0, 1.0)
        return cls(min(known), max(max(known), min(known) + 1.0))

    def at(self, unix: float) -> float:
        """The place of a time as a share of the width, inside 0 to 1."""
        return min(1.0, max(0.0, (unix - self.start) / (self.end - self.start)))

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Places and labels of round UTC times, at most `most`, none at the very edge."""
        width = self.end - self.start
        step = next((s for s in _TIME_STEPS if width / s <= most), math.ceil(width / most))
        first = math.ceil(self.start / step) * step
        count = int((self.end - first) // step) + 1
        times = (first + k * step for k in range(count))
        form = "%m-%d" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S"
        return [
            (self.at(t), figures.instant(t).strftime(form))
            for t in times
            if 0.04 <= self.at(t) <= 0.96
        ]


@dataclass(frozen=True)
class ValueAxis:
    """Values from the bottom to the top of a plot."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float | None]) -> ValueAxis:
        """All values with some air around them; from zero where they come near it."""
        known = [v for v in values if v is not None and math.isfinite(v)]
        if not known:
            return cls(0.0, 1.0)
        low, high = min(known), max(known)
        if 0 < low < 0.4 * high:
            low = 0.0
        if high == low:
            air = abs(high) * 0.1 or 1.0
            return cls(low - air, high + air)
        air = 0.06 * (high - low)
        return cls(low if low == 0 else low - air, high + air)

    def at(self, value: float) -> float:
        """The place of a value as a share of the height from the bottom, inside 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self, most: int = 4, unit: float = 1.0) -> list[float]:
        """Multiples of a round number of units inside the axis, at most `most`."""
        if unit != 1.0:
            inner = ValueAxis(self.low / unit, self.high / unit)
            return [tick * unit for tick in inner.ticks(most)]
        raw = (self.high - self.low) / most
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(m * size for m in (1, 2, 2.5, 5, 10, 20) if m * size >= raw)
        first = math.ceil(self.low / step)
        count = math.floor(self.high / step) - first + 1
        return [(first + k) * step for k in range(count)][:most]


def thinned(
    times: Sequence[float], values: Sequence[float | None], budget: int = 1000
) -> tuple[list[float], list[float | None]]:
    """At most about `budget` points that keep every peak: the extremes of each stretch.

    A stretch in which nothing was measured stays a gap.
    """
    if len(times) <= budget:
        return list(times), list(values)
    kept_times: list[float] = []
    kept_values: list[float | None] = []
    size = math.ceil(2 * len(times) / budget)
    for start in range(0, len(times), size):
        rows = range(start, min(start + size, len(times)))
        known = [(value, row) for row in rows if (value := _finite(values[row])) is not None]
        chosen = sorted({min(known)[1], max(known)[1]}) if known else [start]
        kept_times += [times[row] for row in chosen]
        kept_values += [values[row] for row in chosen]
    return kept_times, kept_values


def stretches(
    times: Sequence[float], values: Sequence[float | None]
) -> list[list[tuple[float, float]]]:
    """Points in unbroken runs: a missing value or a hole in the recording ends a run."""
    distances = sorted(b - a for a, b in pairwise(times))
    widest = 3.0 * distances[len(distances) // 2] if distances else math.inf
    runs: list[list[tuple[float, float]]] = []
    last: float | None = None
    for time, raw in zip(times, values, strict=True):
        value = _finite(raw)
        if value is None:
            last = None
            continue
        if last is None or time - last > widest:
            runs.append([])
        runs[-1].append((time, value))
        last = time
    return runs


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
