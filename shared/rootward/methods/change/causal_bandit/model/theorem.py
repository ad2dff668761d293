"""Values and widths as the paper has them: by inverses, for columns that may disagree on order."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.methods.change.causal_bandit.model.actions import Values, all_actions
from rootward.methods.change.causal_bandit.model.columns import Columns

_CHUNK = 1024


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
    mean, width = np.empty(len(actions)), np.empty(len(actions))
    node = np.arange(columns.nodes)
    for start in range(0, len(actions), _CHUNK):
        chunk = actions[start : start + _CHUNK]
        effects = _total_effects(columns.weights[chunk, node])
        mu = effects @ columns.means
        reach = np.linalg.norm(effects[:, -1, :], axis=1) * np.linalg.norm(mu, axis=1)
        term = 4 * np.log(2 * columns.nodes / error_rate) * doubt[chunk, node].sum(axis=1)
        mean[start : start + len(chunk)] = mu[:, -1]
        width[start : start + len(chunk)] = reach * np.sqrt(term)
    return Values(mean, width)


def _total_effects(
    weights: Float[np.ndarray, "actions nodes nodes"],
) -> Float[np.ndarray, "actions nodes nodes"]:
    """(I - B)^-1 with rows the affected node; ridged where two orders make a loop of gain one."""
    eye = np.eye(weights.shape[1])
    system = eye - weights
    singular = np.abs(np.linalg.det(system)) < 1e-9
    return np.linalg.inv(np.where(singular[:, None, None], system + 1e-3 * eye, system))
