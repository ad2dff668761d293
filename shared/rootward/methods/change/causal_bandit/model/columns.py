"""Every column of the system: what drives one node in one regime, learnt a sample at a time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

_ROUNDING = 1e-12
"""Share of the largest moment below which a direction of the inputs is rounding."""

Moments = Float[np.ndarray, "regimes nodes inputs inputs"]
"""Sums of products of (values, 1) over a column's samples; `inputs` is nodes + 1."""


class Columns:
    """Estimates of x_i = mean_i + b_ri' x + noise for each node i and regime r of it.

    A sample belongs to the column (action_i, i) of every node i. The weights have a Gaussian
    prior of mean 0 and the given precision in units of the noise variance; each sample is one
    rank-one update of all its columns. Only `parents` have weights, all else stays 0.
    """

    def __init__(
        self,
        means: Float[np.ndarray, " nodes"],
        variances: Float[np.ndarray, " nodes"],
        *,
        precision: float = 1.0,
        most: int | None = None,
    ) -> None:
        nodes = len(means)
        self.means, self.variances = means, variances
        self.precision, self.most = precision, most
        self._node = np.arange(nodes)
        self.parents: Bool[np.ndarray, "regimes nodes nodes"] = np.zeros((2, nodes, nodes), bool)
        """[r, p, i]: p drives i in regime r."""
        self.moments: Moments = np.zeros((2, nodes, nodes + 1, nodes + 1))
        self.earlier = np.zeros_like(self.moments)
        """Of each column's longest stretch between two changes: they still tell who drives whom."""
        self.weights = np.zeros((2, nodes, nodes))
        """[r, i]: incoming weights of i."""
        self.spread = np.zeros((2, nodes, nodes, nodes))
        """[r, i]: covariance of the weights over the noise variance."""
        self.relearn(self.parents)

    @property
    def nodes(self) -> int:
        return len(self.means)

    @property
    def counts(self) -> Float[np.ndarray, "regimes nodes"]:
        """Samples that each column was learnt from."""
        return np.asarray(self.moments[:, :, -1, -1])

    def add(
        self, action: Int[np.ndarray, " nodes"], values: Float[np.ndarray, " nodes"]
    ) -> Float[np.ndarray, " nodes"]:
        """Learn from one sample; how far each node was from its forecast, in deviations.

        The deviation is that of noise and uncertain weights together, so that without a change
        these innovations are independent and standard normal. Full columns learn no more.
        """
        at = (action, self._node)
        # Weights and spread are 0 outside of the parents, so that all values may go in.
        gain = self.spread[at] @ values
        told = gain @ values
        doubt = 1 + np.maximum(told, 0.0)
        error = values - self.means - self.weights[at] @ values
        full = np.zeros(self.nodes) if self.most is None else self.counts[at] >= self.most
        takes = np.where(full, 0.0, 1.0)
        step = gain * (takes / doubt)[:, None]
        self.weights[at] += step * error[:, None]
        self.spread[at] -= step[:, :, None] * gain[:, None, :]
        row = np.append(values, 1.0)
        self.moments[at] += np.outer(row, row) * takes[:, None, None]
        # Where the prior is next to nothing, rounding takes a spread below zero, whence it would
        # grow without end: such a column is fitted anew.
        for node in np.flatnonzero((told < 0) & (takes > 0)).tolist():
            self._refit(int(action[node]), node)
        return np.asarray(error / np.sqrt(self.variances * doubt))

    def relearn(self, parents: Bool[np.ndarray, "regimes nodes nodes"]) -> None:
        """Take other parents and fit all columns again from their moments."""
        self.parents = parents
        for regime in range(2):
            for node in range(self.nodes):
                self._refit(regime, node)

    def restart(
        self,
        regime: int,
        node: int,
        recent: Float[np.ndarray, "samples nodes"],
    ) -> None:
        """Forget one column but for the recent samples; all others keep theirs."""
        rows = np.column_stack([recent, np.ones(len(recent))])
        over = self.moments[regime, node] - rows.T @ rows
        if over[-1, -1] > self.earlier[regime, node, -1, -1]:
            self.earlier[regime, node] = over
        self.moments[regime, node] = rows.T @ rows
        self._refit(regime, node)

    def _refit(self, regime: int, node: int) -> None:
        kept = np.flatnonzero(self.parents[regime, :, node])
        moments = self.moments[regime, node]
        sizes, turn = np.linalg.eigh(moments[np.ix_(kept, kept)])
        known = np.maximum(sizes, _ROUNDING * sizes.max(initial=0.0))
        inverse = turn / (known + self.precision) @ turn.T
        cross = moments[kept, node] - self.means[node] * moments[kept, -1]
        self.weights[regime, node] = 0.0
        self.weights[regime, node, kept] = inverse @ cross
        self.spread[regime, node] = 0.0
        self.spread[regime, node][np.ix_(kept, kept)] = inverse


def squared_errors(
    moments: Float[np.ndarray, "*shape inputs inputs"],
    node: int,
    parents: Int[np.ndarray, " parents"],
    mean: float,
    precision: float,
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """Squared error of a node's columns given parents, prior included, and ln det of the gain.

    The second is ln det(1 + gram / precision), what the freedom of the weights costs.
    """
    y = moments[..., node, node] - 2 * mean * moments[..., node, -1]
    y = y + mean**2 * moments[..., -1, -1]
    if not len(parents):
        return y, np.zeros_like(y)
    gram = moments[..., parents[:, None], parents] + precision * np.eye(len(parents))
    cross = moments[..., parents, node] - mean * moments[..., parents, -1]
    root = np.linalg.cholesky(gram)
    solved = np.linalg.solve(root, cross[..., None])[..., 0]
    diagonal = np.diagonal(root, axis1=-2, axis2=-1)
    freedom = 2 * np.log(diagonal).sum(axis=-1) - len(parents) * np.log(precision)
    return y - (solved**2).sum(axis=-1), freedom
