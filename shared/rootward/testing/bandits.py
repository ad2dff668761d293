"""Linear systems with switches at every node: what a causal bandit plays against."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from rootward.methods.change.causal_bandit.model.actions import System, all_actions, values_of_all


@dataclass(frozen=True, eq=False)
class Bandit:
    """x = mean + B_a' x + noise; the regime of node i chooses its incoming weights.

    `weights[r, p, i]` is the weight of p on i in regime r. The last node is the reward.
    """

    weights: Float[np.ndarray, "regimes nodes nodes"]
    order: tuple[int, ...]
    means: Float[np.ndarray, " nodes"]
    deviations: Float[np.ndarray, " nodes"]

    @property
    def nodes(self) -> int:
        return len(self.means)

    def pull(
        self, action: Int[np.ndarray, " nodes"], rng: np.random.Generator
    ) -> Float[np.ndarray, " nodes"]:
        """What all nodes show after an action."""
        noise = self.means + self.deviations * rng.standard_normal(self.nodes)
        x = np.zeros(self.nodes)
        for i in self.order:
            x[i] = noise[i] + self.weights[action[i], :, i] @ x
        return x

    def rewards(self) -> Float[np.ndarray, " actions"]:
        """Mean reward of every action, in the order of `all_actions`."""
        at = np.array(self.order)
        ordered = self.weights[:, at][:, :, at].transpose(0, 2, 1)
        none = np.zeros((2, self.nodes, self.nodes, self.nodes))
        mean = values_of_all(System(ordered, none, self.means[at])).mean
        shape = (2,) * self.nodes
        return np.asarray(mean.reshape(shape).transpose(np.argsort(at)).reshape(-1))

    @property
    def edges(self) -> np.ndarray:
        """[r, p, i]: p drives i in regime r."""
        return np.asarray(self.weights != 0)


def random_bandit(nodes: int, rng: np.random.Generator, *, shuffled: bool = True) -> Bandit:
    """The paper's systems: every earlier node is a cause with probability one half, its weight
    0.5 to 2 of either sign; noise has mean and variance one.
    """
    order = [*rng.permutation(nodes - 1).tolist(), nodes - 1] if shuffled else list(range(nodes))
    weights = np.zeros((2, nodes, nodes))
    for place, node in enumerate(order):
        for regime in range(2):
            weights[regime, order[:place], node] = _column(place, rng)
        while place and np.array_equal(weights[0, :, node], weights[1, :, node]):
            weights[1, order[:place], node] = _column(place, rng)
    return Bandit(weights, tuple(order), np.ones(nodes), np.ones(nodes))


def changed(bandit: Bandit, rng: np.random.Generator, *, columns: int = 1) -> Bandit:
    """Some nodes get other incoming weights in the regime that is best now, until it is best no
    more.
    """
    best = all_actions(bandit.nodes)[int(bandit.rewards().argmax())]
    for _ in range(1000):
        weights = bandit.weights.copy()
        for place in rng.choice(np.arange(1, bandit.nodes), size=columns, replace=False):
            node = bandit.order[place]
            earlier = list(bandit.order[:place])
            weights[best[node], earlier, node] = _column(len(earlier), rng)
        other = replace(bandit, weights=weights)
        if not np.array_equal(all_actions(bandit.nodes)[int(other.rewards().argmax())], best):
            return other
    raise AssertionError("no redraw made another action best")


def _column(parents: int, rng: np.random.Generator) -> Float[np.ndarray, " parents"]:
    present = rng.random(parents) < 0.5
    return np.asarray(present * rng.choice([-1.0, 1.0], parents) * rng.uniform(0.5, 2.0, parents))
