"""What speaks against the first service where nothing began: the measure of what is unusual."""

from __future__ import annotations

import numpy as np

from rootward.rca.observation import Observation, observe
from rootward.rca.onset import MIN_BASELINE
from rootward.rca.ranking import most

_MOST, _LEAST = 6, 2
"""Rows of the baseline that are taken for an onset."""
_VALUES = 1_800_000
"""Values that are looked at again at most: the largest of many services varies little."""
UNKNOWN = 1.5
"""Score of the first service, in log deviations, where the baseline is too short to tell."""


def usual_score(seen: Observation, calls: tuple[tuple[str, str], ...] = ()) -> float:
    """The score that the first service usually reaches, in log deviations, at no incident.

    The median over six pseudo-onsets, fewer in wide windows, spread over the baseline from its
    first quarter on, each with as many rows to follow as the incident has, a quarter of the
    baseline at most. A system whose series wander all the time reaches high scores without a
    fault; a few earlier faults do not move a median.
    """
    first = max(MIN_BASELINE, seen.onset // 4)
    length = min(len(seen.window.values) - seen.onset, max(MIN_BASELINE, seen.onset // 4))
    last = seen.onset - length
    if last <= first:
        return UNKNOWN
    tried = int(np.clip(_VALUES // seen.window.values.size, _LEAST, _MOST))
    rows = np.unique(np.linspace(first, last, tried).astype(int)).tolist()
    found = [most(observe(seen.window.rows(0, row + length), row), calls) for row in rows]
    return float(np.median(found))
