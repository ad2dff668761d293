"""How far weights are from an acyclic graph, as a smooth penalty; and the graph made of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.numerics.dags import is_acyclic


def log_det_penalty(
    weights: Float[np.ndarray, "variables variables"], radius: float
) -> tuple[float, Float[np.ndarray, "variables variables"], bool]:
    """`d log s - log det(s I - W∘W)`, its gradient, and whether W lies in its domain.

    0 exactly where W is acyclic (Bello, Aragam, Ravikumar 2022, DAGMA, NeurIPS). The domain is
    where `s I - W∘W` is an M-matrix: its inverse has no negative entry.
    """
    inside = radius * np.eye(len(weights)) - weights * weights
    sign, log_det = np.linalg.slogdet(inside)
    if sign <= 0:
        return np.inf, np.zeros_like(weights), False
    inverse = np.linalg.inv(inside)
    value = len(weights) * np.log(radius) - log_det
    return float(value), 2 * weights * inverse.T, bool(inverse.min() >= -1e-6)


def acyclic(
    weights: Float[np.ndarray, "variables variables"], least: float
) -> Float[np.ndarray, "variables variables"]:
    """The weights above `least` in size, without the smallest ones that close a cycle.

    The smallest of all are dropped until no cycle is left, as the authors of NOTEARS do.
    """
    kept = np.where(np.abs(weights) > least, weights, 0.0)
    np.fill_diagonal(kept, 0.0)
    while not is_acyclic(kept != 0):
        kept[np.abs(kept) == np.abs(kept)[kept != 0].min()] = 0.0
    return kept
