"""Cross-fitting: every row is judged by a fit that has not seen it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

Predictor = Callable[[np.ndarray], np.ndarray]
"""Inputs (rows, columns) to one forecast a row."""
Learner = Callable[[np.ndarray, np.ndarray], Predictor]
"""Fits inputs (rows, columns) to outputs (rows)."""


def folds(
    rows: int, count: int, rng: np.random.Generator, groups: np.ndarray | None = None
) -> Int[np.ndarray, " rows"]:
    """A fold number for each row, of like sizes; rows of one group share theirs."""
    _, member = np.unique(np.arange(rows) if groups is None else groups, return_inverse=True)
    members = int(member.max(initial=-1)) + 1
    return np.asarray(rng.permutation(np.arange(members) % count)[member], dtype=np.int64)


def out_of_fold(
    learner: Learner,
    x: Float[np.ndarray, "rows inputs"],
    y: Float[np.ndarray, " rows"],
    fold: Int[np.ndarray, " rows"],
) -> Float[np.ndarray, " rows"]:
    """A forecast of `y` for each row, learnt on the other folds."""
    found = np.empty(len(y))
    for k in np.unique(fold):
        held = fold == k
        found[held] = learner(x[~held], y[~held])(x[held])
    return found


def mean_with_interval(
    values: Float[np.ndarray, " rows"], level: float = 0.95, groups: np.ndarray | None = None
) -> tuple[float, float, float, float]:
    """Mean of an influence function, its standard error, and the interval's two ends.

    With `groups` rows of one group may depend on each other: the error is that of group sums.
    """
    mean = float(values.mean())
    away = values - mean
    if groups is not None:
        _, member = np.unique(groups, return_inverse=True)
        away = np.asarray(np.bincount(member, away), dtype=np.float64)
        count = len(away)
        error = float(np.sqrt((away**2).sum() * count / max(count - 1, 1)) / len(values))
    else:
        error = float(away.std(ddof=1) / np.sqrt(len(values)))
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    return mean, error, mean - reach, mean + reach
