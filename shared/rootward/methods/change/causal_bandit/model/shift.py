"""Whether a column has changed: its own residuals, and only they, stop being noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

LENGTHS = (1, 2, 3, 5, 8, 13, 20)
"""Numbers of last samples that are looked at together."""


def mean_and_variance_ratio(
    residuals: Float[np.ndarray, "*shape samples"], deviation: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Log-likelihood ratio per sample of N(m, s²) against N(0, deviation²); the paper's D.

    D = ln(sigma / s) + mean((e / sigma)²) / 2 - mean(((e - m) / s)²) / 2, and the last term is
    one half by the choice of m and s.
    """
    s = np.maximum(residuals.std(axis=-1), 1e-12)
    scaled = residuals / deviation[..., None]
    return np.asarray(np.log(deviation / s) + (scaled**2).mean(axis=-1) / 2 - 0.5)


def inflation_ratio(
    innovations: Float[np.ndarray, "*shape samples"],
) -> tuple[Float[np.ndarray, "*shape"], Int[np.ndarray, "*shape"]]:
    """Log-likelihood ratio of a wider spread against N(0, 1) in the last samples, and their number.

    n/2 (v - 1 - ln v) with v the mean square over the last n, 0 where v is below one; the
    largest over `LENGTHS`. Wrong weights meet random inputs, so that a changed column shows as
    a wider spread, with a shift or without. NaN are samples that do not exist yet.
    """
    squares = np.cumsum(np.where(np.isnan(innovations), 1.0, innovations**2)[..., ::-1], axis=-1)
    lengths = np.array([n for n in LENGTHS if n <= innovations.shape[-1]])
    v = np.maximum(squares[..., lengths - 1] / lengths, 1.0)
    ratio = lengths / 2 * (v - 1 - np.log(v))
    best = ratio.argmax(axis=-1)
    return np.asarray(ratio.max(axis=-1)), np.asarray(lengths[best])


class Recent:
    """The last samples of every column and their innovations; NaN where there were fewer."""

    def __init__(self, nodes: int, samples: int) -> None:
        self.values = np.full((2, nodes, samples, nodes), np.nan)
        self.innovations = np.full((2, nodes, samples), np.nan)

    def add(
        self,
        action: Int[np.ndarray, " nodes"],
        values: Float[np.ndarray, " nodes"],
        innovations: Float[np.ndarray, " nodes"],
    ) -> None:
        """Let the oldest sample of each column of the action go."""
        at = (action, np.arange(len(values)))
        rows, sizes = self.values[at], self.innovations[at]
        rows[:, :-1], sizes[:, :-1] = rows[:, 1:].copy(), sizes[:, 1:].copy()
        rows[:, -1], sizes[:, -1] = values, innovations
        self.values[at], self.innovations[at] = rows, sizes

    def forget(self, regime: int, node: int) -> None:
        """A column starts anew."""
        self.values[regime, node] = np.nan
        self.innovations[regime, node] = np.nan

    def last(self, regime: int, node: int, samples: int) -> Float[np.ndarray, "samples nodes"]:
        """The last samples of a column, oldest first; fewer where it has not had so many."""
        newest = self.values[regime, node, -samples:]
        return np.array(newest[~np.isnan(newest).any(axis=1)])
