"""When the incident began, and when each series left its baseline."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from rootward.numerics.anomaly import deviations, runs_of

NEVER = -1
MIN_BASELINE = 3
"""Fewest rows that can serve as a baseline."""
_DEPARTED = 4.0
"""Deviations that count as a departure."""
_SHARE = 0.05
"""Share of the series that carries the activity of a row: a fault moves few of them."""
_SIGNIFICANT = 5.0
"""Smallest step of the activity, in its own noise, that counts as a beginning."""


def activity(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, " rows"]:
    """How unusual each row is: mean log deviation of its most unusual series."""
    away = np.log1p(np.abs(np.nan_to_num(deviations(values, values))))
    keep = max(1, round(_SHARE * values.shape[1]))
    top = np.partition(away, values.shape[1] - keep, axis=1)[:, -keep:]
    return top.mean(axis=1)


def find_onset(values: Float[np.ndarray, "rows series"]) -> int | None:
    """The row where the window begins to be unusual; None where it does not.

    It splits the activity of the rows where the mean before and after differ most.
    """
    rows = len(values)
    if rows < MIN_BASELINE + 2 or not values.shape[1]:
        return None
    level = activity(values)
    best, onset = 0.0, None
    for row in range(MIN_BASELINE, rows - 1):
        before, after = level[:row], level[row:]
        noise = 1.4826 * float(np.median(np.abs(before - np.median(before)))) + 0.05
        step = (float(after.mean()) - float(before.mean())) / noise
        size = step * np.sqrt(len(after) * row / rows)
        if size > best and step > 1.0:
            best, onset = size, row
    return onset if best >= _SIGNIFICANT else None


def departures(z: Float[np.ndarray, "rows series"], onset: int) -> Int[np.ndarray, " series"]:
    """The first row at or after `onset` from which a series is away; `NEVER` where it stays.

    Away is `_DEPARTED` deviations on the same side for two rows, or in the last row.
    """
    incident = np.nan_to_num(z[onset:])
    if not len(incident):
        return np.full(z.shape[1], NEVER)
    length = min(2, len(incident))
    away = runs_of(incident >= _DEPARTED, length) | runs_of(incident <= -_DEPARTED, length)
    away[-1] = np.abs(incident[-1]) >= _DEPARTED
    return np.where(away.any(axis=0), onset + away.argmax(axis=0), NEVER)
