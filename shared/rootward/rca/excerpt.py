"""Short stretches of series for plots."""

from __future__ import annotations

import numpy as np

from rootward.model.incident import Excerpt
from rootward.model.kind import unit_of
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, measured

POINTS = 240
_BAND = 3.0
"""Half width of the baseline band in deviations."""


def excerpt(window: Window, column: int, onset: int, found: Departures) -> Excerpt:
    """One series with its baseline band, at most `POINTS` points, extremes kept.

    A recording gap longer than the rows behind it is cut off with all that lies before it.
    """
    start = _first_row_shown(window, onset)
    times, values = window.times[start:], measured(window.values[start:, column])
    middle = float(np.nan_to_num(found.centre[column]))
    width = _BAND * float(np.nan_to_num(found.scale[column]))
    rows = _extremes(np.abs(values - middle))
    return Excerpt(
        window.series[column],
        tuple(float(times[row]) for row in rows),
        tuple(float(values[row]) if np.isfinite(values[row]) else None for row in rows),
        middle - width,
        middle + width,
        unit_of(window.series[column].metric),
    )


def _first_row_shown(window: Window, onset: int) -> int:
    gaps = np.diff(window.times)
    shown = window.times[-1] - window.times[1:] + window.step_seconds
    long = np.flatnonzero((gaps > shown) & (gaps > 10 * window.step_seconds))
    return int(long[-1]) + 1 if len(long) else 0


def _extremes(away: np.ndarray) -> list[int]:
    """The row furthest from the middle in each part of at most `POINTS`, measured ones first."""
    rows = np.arange(len(away))
    ranked = np.where(np.isnan(away), -1.0, away)
    parts = np.array_split(rows, min(len(rows), POINTS))
    return [int(part[ranked[part].argmax()]) for part in parts]
