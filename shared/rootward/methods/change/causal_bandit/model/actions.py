"""What each action is worth: means and widths of all 2^N actions at once, or a search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class System:
    """Estimated columns, nodes in causal order, the reward last.

    `weights[r, i, p]` is the weight of p on i in regime r, `spread[r, i]` its covariance.
    """

    weights: Float[np.ndarray, "regimes nodes nodes"]
    spread: Float[np.ndarray, "regimes nodes nodes nodes"]
    means: Float[np.ndarray, " nodes"]


@dataclass(frozen=True, eq=False)
class Values:
    """Bit i of the number of an action, most significant first, is the regime of node i."""

    mean: Float[np.ndarray, " actions"]
    deviation: Float[np.ndarray, " actions"]
    """Of the estimated mean reward, to first order in the errors of the weights."""


@lru_cache(maxsize=4)
def all_actions(nodes: int) -> Int[np.ndarray, "actions nodes"]:
    """Every action, in the order of `Values`."""
    actions = (np.arange(2**nodes)[:, None] >> np.arange(nodes - 1, -1, -1)) & 1
    actions.setflags(write=False)  # one array for all who ask
    return actions


def numbered(number: int, nodes: int) -> Int[np.ndarray, " nodes"]:
    """The action of a number in `Values`."""
    return (number >> np.arange(nodes - 1, -1, -1)) & 1


def values_of_all(system: System) -> Values:
    """Mean reward of every action, and the deviation of its estimate.

    The mean of a node depends on the regimes of itself and its predecessors only, the effect of
    a node on the reward only on the regimes of its successors: two trees hold all 2^N actions in
    2^(N+1) nodes, and no system is solved. With mean m before node i, effect g of i on the
    reward and covariance S of i's column the variance is the sum over i of g² m'Sm.
    """
    effects = _effects(system)
    nodes = len(system.means)
    m: Float[np.ndarray, "prefixes earlier"] = np.zeros((1, 0))
    variance = np.zeros(2**nodes)
    for i in range(nodes):
        doubt = ((m @ system.spread[:, i, :i, :i]) * m).sum(axis=2)
        own = doubt.T.reshape(-1, 1) * effects[i] ** 2
        variance += own.reshape(-1)
        mean = system.means[i] + m @ system.weights[:, i, :i].T
        m = np.column_stack([np.repeat(m, 2, axis=0), mean.reshape(-1)])
    return Values(m[:, -1], np.sqrt(variance))


def means_of_all(system: System) -> Float[np.ndarray, " actions"]:
    """The means of `values_of_all` alone, at a third of the time."""
    m: Float[np.ndarray, "prefixes earlier"] = np.zeros((1, 0))
    mean = np.zeros((1, 1))
    for i in range(len(system.means)):
        mean = system.means[i] + m @ system.weights[:, i, :i].T
        m = np.column_stack([np.repeat(m, 2, axis=0), mean.reshape(-1)])
    return mean.reshape(-1)


def _effects(system: System) -> list[Float[np.ndarray, " suffixes"]]:
    """For each node its total effect on the last for every choice of its successors' regimes."""
    nodes = len(system.means)
    found: list[np.ndarray] = [np.ones(1)]
    pull = np.zeros((1, nodes - 1))
    for i in range(nodes - 1, 0, -1):
        # pull[s, p]: effect on the reward of a unit at p, by way of the nodes from i on
        through = pull[:, :i] + found[-1][:, None] * system.weights[:, None, i, :i]
        pull = through.reshape(-1, i)
        found.append(pull[:, i - 1])
    return found[::-1]


def values_of(system: System, actions: Int[np.ndarray, "actions nodes"]) -> Values:
    """The same for some actions, in their order; nothing grows with the number of all."""
    nodes = len(system.means)
    node = np.arange(nodes)
    weights, spread = system.weights[actions, node], system.spread[actions, node]
    m, g = np.zeros((2, len(actions), nodes))
    for i in range(nodes):
        m[:, i] = system.means[i] + (weights[:, i] * m).sum(axis=1)
    g[:, -1] = 1.0
    for i in range(nodes - 1, 0, -1):
        g[:, :i] += g[:, i, None] * weights[:, i, :i]
    earlier = np.tril(np.ones((nodes, nodes)), -1)
    before = m[:, None, :] * earlier
    doubt = ((spread @ before[..., None])[..., 0] * before).sum(axis=2)
    return Values(m[:, -1].copy(), np.sqrt((g**2 * doubt).sum(axis=1)))


def climbed(
    system: System,
    width: float,
    starts: Int[np.ndarray, "starts nodes"],
    *,
    rounds: int = 20,
) -> Int[np.ndarray, " nodes"]:
    """An action of high mean + width x deviation, by flipping one or two nodes at a time.

    The mean is linear in each node's regime, so that flipping one node is an exact step; what is
    lost against the scan of all actions is that the climb may end on a local best. It costs
    nodes² evaluations a round instead of 2^nodes.
    """
    best, most = starts[0], -np.inf
    for start in starts:
        action, value = _climb(system, width, start, rounds)
        if value > most:
            best, most = action, value
    return best


def _climb(
    system: System, width: float, start: Int[np.ndarray, " nodes"], rounds: int
) -> tuple[Int[np.ndarray, " nodes"], float]:
    action, most = start, -np.inf
    flips = _flips(len(start))
    for _ in range(rounds):
        tried = action ^ flips
        values = values_of(system, tried)
        promise = values.mean + width * values.deviation
        k = int(np.argmax(promise))
        if promise[k] <= most:
            break
        action, most = tried[k], float(promise[k])
    return action, most


def _flips(nodes: int) -> Int[np.ndarray, "flips nodes"]:
    single = np.eye(nodes, dtype=np.int64)
    pairs = [single[i] + single[j] for i in range(nodes) for j in range(i)]
    return np.array([np.zeros(nodes, dtype=np.int64), *single, *pairs])


def in_order(
    weights: Float[np.ndarray, "regimes nodes nodes"],
    spread: Float[np.ndarray, "regimes nodes nodes nodes"],
    means: Float[np.ndarray, " nodes"],
    order: list[int],
) -> System:
    """The system with its nodes put into causal order."""
    at = np.array(order)
    return System(weights[:, at][:, :, at], spread[:, at][:, :, at][:, :, :, at], means[at])
