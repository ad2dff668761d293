"""Slow leaks: a resource that has been filling up all along, so that nothing ever departs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from rootward.model.kind import Kind
from rootward.model.window import Window
from rootward.numerics.medians import median
from rootward_worker.finding import Finding
from rootward_worker.names import Names, names_of

STRETCHES = 8
"""Parts of the rows whose medians must rise, every one of them."""
LEAST_ROWS = 240
LEAST_SECONDS = 3600.0
"""What rises for less long is a cache that warms up, or a batch that runs."""
LEAST_GROWTH = 1.5
MOST_GROWTH = 10.0
"""What grows faster departs from its baseline and is found so."""
MANY = 3
"""Services in which a leak of the same resource is none."""
LEAST_RISE = 5.0
"""Of the whole rise, in deviations of the rows about their stretch: a rate wiggles, a stock does
not."""
_LEAST_PRESENT = 0.8


def leaks(frame: Window) -> tuple[Finding, ...]:
    """Resources that rose in each of eight stretches, by half and more, and still rise.

    What traffic explains is none: the growth is that beyond the growth of the service's own
    traffic. A cache that fills up levels off; a sawtooth falls; what rises in many services at
    once has a shared cause. The onset is where the growth
    became large, so that the rows before it still tell what is normal.
    """
    rows = len(frame.times)
    if rows < LEAST_ROWS or rows * frame.step_seconds < LEAST_SECONDS:
        return ()
    names = names_of(frame.series)
    columns = np.flatnonzero(names.fills & names.resource)
    found = []
    all_levels = _levels(frame.values[:, columns])
    for at in np.flatnonzero(_rises(all_levels)):
        c, levels = columns[at], all_levels[:, at]
        growth = levels[-1] / levels[0] / _traffic_growth(frame, names, int(names.service[c]))
        if LEAST_GROWTH <= growth <= MOST_GROWTH:
            large = int(np.flatnonzero(levels >= LEAST_GROWTH * levels[0])[0])
            found.append(
                Finding(
                    series=frame.series[c],
                    onset=large * rows // STRETCHES,
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


def _levels(values: np.ndarray) -> np.ndarray:
    """Medians of the stretches, one row each; NaN where too little was measured or all is noise."""
    parts = np.array_split(values, STRETCHES)
    levels = np.full((STRETCHES, values.shape[1]), np.nan)
    counts = np.array([np.isfinite(part).sum(axis=0) for part in parts])
    known = (counts.sum(axis=0) >= _LEAST_PRESENT * len(values)) & np.all(counts > 0, axis=0)
    levels[:, known] = [median(part[:, known], 1) for part in parts]
    wiggles = [
        median(np.abs(part[:, known] - level), 1)
        for part, level in zip(parts, levels[:, known], strict=True)
    ]
    noisy = levels[-1, known] - levels[0, known] < LEAST_RISE * np.median(wiggles, axis=0)
    levels[:, np.flatnonzero(known)[noisy]] = np.nan
    return levels


def _rises(levels: np.ndarray) -> np.ndarray:
    """For each series whether its levels rise, the last step as fast as the others."""
    steps = np.diff(levels, axis=0)
    fast = steps[-1] >= steps.mean(axis=0) / 2
    return np.asarray((levels[0] > 0) & np.all(steps > 0, axis=0) & fast)


def _traffic_growth(frame: Window, names: Names, service: int) -> float:
    """The largest growth of a traffic series of the service, at least 1."""
    beside = np.flatnonzero(names.service == service)
    own = [c for c in beside if names.kind[c] is Kind.TRAFFIC]
    levels = _levels(frame.values[:, own])
    grows = levels[:, levels[0] > 0]
    return float(np.max(grows[-1] / grows[0], initial=1.0))
