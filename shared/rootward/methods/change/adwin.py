"""ADWIN: a window that drops its older part once both parts differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.methods.base import About, Cost, Family, Need, Provenance
from rootward.methods.change.alarms import SeriesDetector

_RANGE = 16.0
"""Values are cut at eight deviations to either side."""


@dataclass(frozen=True, kw_only=True)
class Adwin(SeriesDetector):
    """Finds the longest recent stretch whose mean differs from that of what came before it.

    No size of shift has to be chosen; small ones are found late.
    """

    longest: int = 120
    """Rows that the window holds at most."""
    shortest: int = 3
    """Rows that either part has at least."""

    about = About(
        name="adwin",
        family=Family.CHANGE,
        question="Which series have another mean lately than before?",
        paper="Bifet, Gavaldà 2007, Learning from Time-Changing Data with Adaptive Windowing, SDM",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="on what an autoregression leaves of each series; every cut of the window "
        "is tried instead of those between buckets of exponential size, and the rows before the "
        "onset count as rows of mean 0",
        cost=Cost.INSTANT,
        level=0.05,
        limits=("A series that changed need not be a cause: changes are passed on.",),
    )

    def scores(
        self, innovations: Float[np.ndarray, "rows series"], false_rows: float
    ) -> tuple[Float[np.ndarray, "rows series"], Int[np.ndarray, "rows series"]]:
        quiet = np.zeros((self.longest, innovations.shape[1]))
        x = np.vstack([quiet, np.clip(innovations, -_RANGE / 2, _RANGE / 2)])
        sums = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
        found = np.zeros(innovations.shape)
        since = np.zeros(innovations.shape, dtype=np.int64)
        for row in range(len(innovations)):
            end = self.longest + row + 1
            start = end - self.longest
            cuts = np.arange(start + self.shortest, end - self.shortest + 1)
            ratio = _cut_ratios(sums, (start, end), cuts, false_rows)
            best = np.abs(ratio).argmax(axis=0)
            found[row] = ratio[best, np.arange(ratio.shape[1])]
            since[row] = end - cuts[best]
        return found, since


def _cut_ratios(
    sums: Float[np.ndarray, "ends series"],
    between: tuple[int, int],
    cuts: Int[np.ndarray, " cuts"],
    false_rows: float,
) -> Float[np.ndarray, "cuts series"]:
    """Difference of the means on both sides over the bound of the paper's equation 3.1."""
    start, end = between
    old, new = (cuts - start)[:, None], (end - cuts)[:, None]
    difference = (sums[end] - sums[cuts]) / new - (sums[cuts] - sums[start]) / old
    harmonic = 1 / (1 / old + 1 / new)
    share = np.log(2 * (end - start) / false_rows)
    # The variance is that of the noise, 1: a shift does not hide behind the spread it makes.
    bound = np.sqrt(2 / harmonic * share) + 2 / (3 * harmonic) * share
    return np.asarray(difference / bound)
