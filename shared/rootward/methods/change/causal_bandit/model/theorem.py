"""Values and widths as the paper has them: by inverses, for columns that may disagree on order."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.methods.change.causal_bandit.model.actions import Values, all_actions
from rootward.methods.change.causal_bandit.model.columns import Columns

_SINGULAR = 1e-9
"""Determinant below which a system has no use as it is."""
_RIDGE = 1e-3


def values_by_inverse(columns: Columns, error_rate: float) -> Values:
    """Mean reward of every action, and theorem 1's bound on its error, which holds with 1 - rate.

    U(a) = 2 (n² + 2n)^(1/4) |C_a e| |mu_a| sqrt(ln(2N / rate) sum_i lambda_max(S_i)) with
    C_a = (I - B_a)^-1; as in the authors' procedure n is the number of parents of each column
    and stands within the sum. Far wider than the deviation to first order.
    """
    actions = all_actions(columns.nodes)
    kept = columns.parents.sum(axis=1)
    largest = np.linalg.eigvalsh(columns.spread)[..., -1] * columns.variances
    doubt = np.sqrt(kept * (kept + 2.0)) * largest
    node = np.arange(columns.nodes)
    effects = _total_effects(columns.weights)
    mu = effects @ columns.means
    reach = np.linalg.norm(effects[:, -1, :], axis=1) * np.linalg.norm(mu, axis=1)
    term = 4 * np.log(2 * columns.nodes / error_rate) * doubt[actions, node].sum(axis=1)
    return Values(mu[:, -1], reach * np.sqrt(term))


def _total_effects(
    weights: Float[np.ndarray, "regimes nodes nodes"],
) -> Float[np.ndarray, "actions nodes nodes"]:
    """(I - B_a)^-1 of every action, with rows the affected node.

    A node in its other regime is a change of one row, so that each inverse follows from another
    one (Sherman, Morrison 1950). Ridged where two orders make a loop of gain one.
    """
    nodes = weights.shape[1]
    effects, scale = np.empty((2**nodes, nodes, nodes)), np.ones(2**nodes)
    effects[0] = np.linalg.inv(_ridged(np.eye(nodes) - weights[0]))
    for i in range(nodes - 1, -1, -1):  # the first node is the most significant bit
        known = 2 ** (nodes - 1 - i)
        before, after = effects[:known], effects[known : 2 * known]
        row = (weights[1, i] - weights[0, i]) @ before
        pivot = 1 - row[:, i]
        scale[known : 2 * known] = scale[:known] * pivot
        if np.abs(scale[: 2 * known]).min() < _SINGULAR:
            return _one_by_one(weights)
        np.multiply(before[:, :, i, None], (row / pivot[:, None])[:, None, :], out=after)
        after += before
    return effects


def _one_by_one(
    weights: Float[np.ndarray, "regimes nodes nodes"],
) -> Float[np.ndarray, "actions nodes nodes"]:
    nodes = weights.shape[1]
    actions = all_actions(nodes)
    return np.linalg.inv(_ridged(np.eye(nodes) - weights[actions, np.arange(nodes)]))


def _ridged(systems: Float[np.ndarray, "*actions nodes nodes"]) -> np.ndarray:
    singular = np.abs(np.linalg.det(systems)) < _SINGULAR
    ridge = _RIDGE * np.eye(systems.shape[-1])
    return np.where(singular[..., None, None], systems + ridge, systems)
