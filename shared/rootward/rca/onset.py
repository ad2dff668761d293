"""When the incident began: where nobody says so, and where the detector was late."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, departures, median
from rootward.numerics.suspicion import DEPARTED, NEVER, first_rows

MIN_BASELINE = 3
"""Fewest rows that can serve as a baseline."""
_TRIED = 60
"""Most rows that are tried as the onset."""
_LEADING = 3
"""Series that carry the decision: a fault may move few."""
_LEAST_SHIFT = float(np.log1p(DEPARTED))
"""Mean log shift of the leading series from which on something began."""
_HORIZON = 8
"""The rows looked at after a possible onset are one part in this many of the window."""
_SHORTEST, _LONGEST = 3, 60
_BACK = 6
"""Rows that are looked back at in any case."""
_LATE = 0.25
"""Share of the baseline that may turn out to belong to the incident already."""


def find_onset(
    values: Float[np.ndarray, "rows series"], siblings: Int[np.ndarray, " series"]
) -> int | None:
    """The row where series leave the level that they had before; None where none does clearly.

    At each of up to 60 rows, the median of the next rows (an eighth of the window) is held
    against all rows before. The row with the largest shift of the three leading series wins, and
    the first of them to depart dates it.
    """
    rows = len(values)
    horizon = int(np.clip(rows // _HORIZON, _SHORTEST, _LONGEST))
    last = rows - _SHORTEST
    if last < MIN_BASELINE or not values.shape[1]:
        return None
    tried = np.unique(np.linspace(MIN_BASELINE, last, min(last, _TRIED)).astype(int)).tolist()
    best, found = 0.0, None
    for row in tried:
        shift = _shift(departures(values[: row + horizon], row, siblings), row)
        leading = float(np.sort(shift)[-_LEADING:].mean())
        if leading > best:
            best, found = leading, row
    if found is None or best < _LEAST_SHIFT:
        return None
    return _dated(values[: found + horizon], found, siblings)


def with_onset(window: Window) -> Window:
    """The same framed window with its onset: the one it has, else the one that is found."""
    if window.onset is not None:
        return window
    return window.with_onset(find_onset(window.values, traits(window.series).siblings))


def _shift(found: Departures, row: int) -> Float[np.ndarray, " series"]:
    level = np.abs(np.nan_to_num(median(found.z[row:])))
    return np.log1p(level) * found.trust


def _dated(
    values: Float[np.ndarray, "rows series"], row: int, siblings: Int[np.ndarray, " series"]
) -> int:
    """The first row from which on one of the leading series is away."""
    found = departures(values, row, siblings)
    leading = np.argsort(_shift(found, row))[-_LEADING:]
    began = first_rows(found.z[:, leading], row)
    return int(began[began != NEVER].min()) if (began != NEVER).any() else row


def began_before(
    values: Float[np.ndarray, "rows series"], onset: int, siblings: Int[np.ndarray, " series"]
) -> int:
    """The row where the incident began, at or before an onset that may have come late.

    The series that lead after the onset are followed back, row by row, as long as they were
    away already: at most a quarter of the baseline, and twice as long as is known of the
    incident. A
    series that was away for all of that drifts, and dates nothing.
    """
    furthest = min(round(_LATE * onset), max(_BACK, 2 * (len(values) - onset)))
    earliest = max(MIN_BASELINE, onset - furthest)
    if earliest >= onset:
        return onset
    outside = np.vstack([values[:earliest], values[onset:]])
    found = departures(outside, earliest, siblings)
    score = np.log1p(found.size) * found.trust
    leading = np.argsort(score)[-_LEADING:]
    leading = leading[found.size[leading] >= DEPARTED]
    if not len(leading):
        return onset
    z = (values[earliest:onset, leading] - found.centre[leading]) / found.scale[leading]
    away = (z * found.direction[leading] >= DEPARTED)[::-1]
    running = np.where(away.all(axis=0), 0, (~away).argmax(axis=0))
    return onset - int(running.max())
