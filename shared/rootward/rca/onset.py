"""When the incident began, where nobody says so."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.numerics.anomaly import departures

MIN_BASELINE = 3
"""Fewest rows that can serve as a baseline."""
_SHARE = 0.05
"""Share of the series that carries the activity of a row: a fault moves few of them."""
_SIGNIFICANT = 5.0
"""Smallest step of the activity, in its own noise, that counts as a beginning."""


def activity(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, " rows"]:
    """How unusual each row is: mean log deviation of its most unusual series."""
    alone = np.arange(values.shape[1])
    z = departures(np.vstack([values, values]), len(values), alone).z[: len(values)]
    away = np.log1p(np.abs(np.nan_to_num(z)))
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
