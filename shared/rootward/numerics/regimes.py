"""Regimes: stretches of rows between changes, in which the system is taken to stay the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int


def regimes(
    times: Float[np.ndarray, " rows"], boundaries: Sequence[float], least_rows: int
) -> Int[np.ndarray, " rows"]:
    """A number for each row, from 0, one more behind each boundary; times in Unix seconds.

    Boundaries that lie close together are one change seen by several: a boundary counts only
    with `least_rows` rows between it and the one counted before. The last regime may be short,
    for an incident often is.
    """
    starts = np.searchsorted(times, np.sort(np.asarray(boundaries, dtype=np.float64)))
    label = np.zeros(len(times), dtype=np.int64)
    last = 0
    for start in starts.tolist():
        if start - last >= least_rows and start < len(times):
            label[start:] += 1
            last = start
    return label


def regime_rows(label: Int[np.ndarray, " rows"]) -> tuple[Int[np.ndarray, " rows_of_one"], ...]:
    """The rows of each regime, in time order."""
    return tuple(np.flatnonzero(label == k) for k in np.unique(label))
