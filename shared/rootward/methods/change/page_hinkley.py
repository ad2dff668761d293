"""Page-Hinkley: how far the running sum of deviations from the running mean has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.methods.base import About, Cost, Family, Need, Provenance
from rootward.methods.change.alarms import SeriesDetector


@dataclass(frozen=True, kw_only=True)
class PageHinkley(SeriesDetector):
    """Finds lasting shifts of the mean, however large the mean was before.

    The running mean follows slow drift, so that less is claimed than by CUSUM, and later.
    """

    tolerance: float = 0.5
    """Deviations that a series may be off without any being summed."""

    about = About(
        name="page_hinkley",
        family=Family.CHANGE,
        question="Which series shifted from their running mean?",
        paper="Page 1954, Biometrika 41; Hinkley 1971, Inference about the change-point from "
        "cumulative sum tests, Biometrika 58",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="on what an autoregression leaves of each series; the threshold follows "
        "from the chance of a false alarm",
        cost=Cost.INSTANT,
        level=0.05,
        limits=("A series that changed need not be a cause: changes are passed on.",),
    )

    def scores(
        self, innovations: Float[np.ndarray, "rows series"], false_rows: float
    ) -> tuple[Float[np.ndarray, "rows series"], Int[np.ndarray, "rows series"]]:
        # A sum with drift -tolerance passes h about as often as exp(-2 tolerance h).
        threshold = -np.log(false_rows / 2) / (2 * max(self.tolerance, 0.05))
        rows = np.arange(1, len(innovations) + 1)[:, None]
        clipped = np.clip(innovations, -8.0, 8.0)
        # Before the onset the mean is 0; it counts like thirty rows.
        away = clipped - np.cumsum(clipped, axis=0) / (rows + 30)
        up, up_since = _above_minimum(np.cumsum(away - self.tolerance, axis=0))
        down, down_since = _above_minimum(np.cumsum(-away - self.tolerance, axis=0))
        falls = down > up
        score = np.where(falls, -down, up) / threshold
        return score, np.where(falls, down_since, up_since)


def _above_minimum(
    sums: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, "rows series"], Int[np.ndarray, "rows series"]]:
    """How far each sum is above its smallest value so far, and how many rows ago that was."""
    padded = np.vstack([np.zeros((1, sums.shape[1])), sums])
    least = np.minimum.accumulate(padded, axis=0)
    row = np.arange(len(padded))[:, None]
    at = np.maximum.accumulate(np.where(padded == least, row, 0), axis=0)
    return (padded - least)[1:], (row - at)[1:]
