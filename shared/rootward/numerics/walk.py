"""A random walk from effects to causes: personalised PageRank that can stay where it is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_STEPS = 200
_TOLERANCE = 1e-12


def pagerank(
    causes: Float[np.ndarray, "cause effect"],
    surprise: Float[np.ndarray, " series"],
    symptom: int | None,
    damping: float,
) -> Float[np.ndarray, " series"]:
    """How often a walker is at each series who goes from effects to surprising causes.

    `causes[i, j]` >= 0 is how strongly i causes j. From j the walker goes to a cause in
    proportion to its weight times its surprise, or stays in proportion to j's own surprise, so
    that a strong departure without a strong cause holds it. With probability 1 - `damping` it
    starts again: half of the time at the symptom, else anywhere in proportion to surprise.
    Page et al. 1999, on the reversed graph. Sums to 1.
    """
    series = len(surprise)
    own = np.maximum(surprise, 0.0)
    total = own.sum()
    anywhere = own / total if total > 0 else np.full(series, 1.0 / max(series, 1))
    start = anywhere.copy()
    if symptom is not None:
        start = 0.5 * start
        start[symptom] += 0.5
    strongest = causes.max(axis=0, initial=0.0)
    relative = causes / np.where(strongest > 0, strongest, 1.0)
    steps = (relative * own[:, None]).T + np.diag(own)
    leaving = steps.sum(axis=1, keepdims=True)
    stuck = leaving[:, 0] <= 0
    steps = steps / np.where(leaving > 0, leaving, 1.0)
    rank = start
    for _ in range(_STEPS):
        moved = damping * (rank @ steps + rank[stuck].sum() * start) + (1 - damping) * start
        if np.abs(moved - rank).sum() < _TOLERANCE:
            return moved
        rank = moved
    return rank
