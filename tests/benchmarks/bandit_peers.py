"""What the causal bandit is held against: UCB over all actions, and Thompson sampling."""

from __future__ import annotations

import numpy as np

from rootward.methods.change.causal_bandit.model.actions import (
    all_actions,
    in_order,
    means_of_all,
)
from rootward.methods.change.causal_bandit.model.columns import Columns
from rootward.testing.bandits import Bandit


class Ucb1:
    """Auer, Cesa-Bianchi, Fischer 2002 over all 2^N actions, in units of the rewards' deviation."""

    def __init__(self, nodes: int) -> None:
        self._actions = all_actions(nodes)
        self._count = np.zeros(len(self._actions))
        self._sum = np.zeros(len(self._actions))
        self._square = 0.0

    def choose(self) -> np.ndarray:
        if untried := np.count_nonzero(self._count == 0):
            return self._actions[len(self._actions) - untried]
        pulls = self._count.sum()
        overall = self._sum.sum() / pulls
        deviation = np.sqrt(max(self._square / pulls - overall**2, 1e-12))
        bonus = deviation * np.sqrt(2 * np.log(pulls) / self._count)
        return self._actions[int(np.argmax(self._sum / self._count + bonus))]

    def observe(self, action: np.ndarray, values: np.ndarray) -> None:
        arm = int(action @ (2 ** np.arange(len(action) - 1, -1, -1)))
        self._count[arm] += 1
        self._sum[arm] += values[-1]
        self._square += float(values[-1] ** 2)


class LinSemTs:
    """Thompson sampling for linear systems (Varici et al. 2023): the graph is given to it.

    Weights are drawn from their posterior, and what would be best under them is played. It does
    not look for changes.
    """

    def __init__(self, bandit: Bandit, rng: np.random.Generator) -> None:
        self._columns = Columns(bandit.means, bandit.deviations**2)
        self._columns.relearn(bandit.edges)
        self._order, self._rng = list(bandit.order), rng

    def choose(self) -> np.ndarray:
        columns = self._columns
        noise = self._rng.standard_normal(columns.weights.shape)
        # A covariance that is 0 outside of the parents has no root; a grain of salt gives it one.
        root = np.linalg.cholesky(columns.spread + 1e-12 * np.eye(columns.nodes))
        drawn = columns.weights + np.einsum("ripq,riq->rip", root, noise)
        drawn[~columns.parents.transpose(0, 2, 1)] = 0.0
        system = in_order(drawn, columns.spread, columns.means, self._order)
        best = int(means_of_all(system).argmax())
        action = np.empty(columns.nodes, dtype=np.int64)
        action[self._order] = all_actions(columns.nodes)[best]
        return action

    def observe(self, action: np.ndarray, values: np.ndarray) -> None:
        self._columns.add(action, values)
