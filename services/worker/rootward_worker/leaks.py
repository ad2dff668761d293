"""Slow leaks: a resource that has been filling up all along, so that nothing ever departs."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from rootward.model.kind import Kind, kind_of
from rootward.model.window import Window
from rootward_worker.finding import Finding

FILLS = re.compile(r"mem|rss|heap|fds?$|filefd|disk_used|fs_usage|connections|threads")
"""Names of resources that can run out."""
STRETCHES = 8
"""Parts of the rows whose medians must rise, every one of them."""
LEAST_ROWS = 240
LEAST_GROWTH = 1.5
MOST_GROWTH = 10.0
"""What grows faster departs from its baseline and is found so."""
MANY = 3
"""Services in which a leak of the same resource is none."""
LEAST_RISE = 5.0
"""Of the whole rise, in deviations of the rows about their stretch: a rate wiggles, a stock does
not."""
_LEAST_PRESENT = 0.8
_RESOURCES = (Kind.UTILISATION, Kind.SATURATION)


def leaks(frame: Window) -> tuple[Finding, ...]:
    """Resources that rose in each of eight stretches, by half and more, and still rise.

    What traffic explains is none: the growth is that beyond the growth of the service's own
    traffic. A cache that fills up levels off; a sawtooth falls; what rises in many services at
    once has a shared cause. The onset is where the growth
    became large, so that the rows before it still tell what is normal.
    """
    if len(frame.times) < LEAST_ROWS:
        return ()
    columns = [
        c
        for c, s in enumerate(frame.series)
        if FILLS.search(s.metric) and kind_of(s.metric) in _RESOURCES
    ]
    found = []
    for c in columns:
        levels = _levels(frame.values[:, c])
        if levels is None or not _rises(levels):
            continue
        growth = levels[-1] / levels[0] / _traffic_growth(frame, frame.series[c].service)
        if LEAST_GROWTH <= growth <= MOST_GROWTH:
            large = int(np.flatnonzero(levels >= LEAST_GROWTH * levels[0])[0])
            found.append(
                Finding(
                    series=frame.series[c],
                    onset=large * len(frame.times) // STRETCHES,
                    score=float(growth / LEAST_GROWTH),
                    size=float(growth),
                    before=float(levels[0]),
                    after=float(levels[-1]),
                    harmful=True,
                )
            )
    services: dict[str, set[str]] = defaultdict(set)
    for one in found:
        services[one.series.metric].add(one.series.service)
    return tuple(f for f in found if len(services[f.series.metric]) < MANY)


def _levels(values: np.ndarray) -> np.ndarray | None:
    """Medians of the stretches; None where too little was measured, or the rise is noise."""
    if np.isfinite(values).mean() < _LEAST_PRESENT:
        return None
    parts = [part[np.isfinite(part)] for part in np.array_split(values, STRETCHES)]
    if not all(len(part) for part in parts):
        return None
    levels = np.array([np.median(part) for part in parts])
    wiggle = np.median([np.median(np.abs(p - m)) for p, m in zip(parts, levels, strict=True)])
    return levels if levels[-1] - levels[0] >= LEAST_RISE * wiggle else None


def _rises(levels: np.ndarray) -> bool:
    steps = np.diff(levels)
    return bool(levels[0] > 0 and np.all(steps > 0) and steps[-1] >= steps.mean() / 2)


def _traffic_growth(frame: Window, service: str) -> float:
    """The largest growth of a traffic series of the service, at least 1."""
    largest = 1.0
    for c, series in enumerate(frame.series):
        if series.service == service and kind_of(series.metric) is Kind.TRAFFIC:
            levels = _levels(frame.values[:, c])
            if levels is not None and levels[0] > 0:
                largest = max(largest, float(levels[-1] / levels[0]))
    return largest
