"""The order learner: who comes before whom; everybody earlier is kept as a parent."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from rootward.methods.change.causal_bandit.model.columns import Columns, squared_errors

_ROUNDS = 10
"""Passes over all nodes at most, in each of which a node may move."""


def learnt_order(columns: Columns, last: int | None = None) -> list[int]:
    """Nodes from cause to effect, as the samples make it likeliest; `last` is known to be a sink.

    The columns' noise variances are taken as known. Greedily the node that its predecessors
    explain best is placed next (equal-variance ordering: Chen, Drton, Wang 2019), then single
    nodes are moved as long as that makes the samples likelier. With soft interventions the
    samples tell the direction even of pairs that observation alone leaves open.
    """
    cost = _Cost(columns)
    order = _greedy(columns.nodes, cost, last)
    return _moved(order, cost, last)


def parents_before(order: list[int]) -> Bool[np.ndarray, "regimes nodes nodes"]:
    """[r, p, i]: p stands before i. No true edge is missed unless the order is wrong."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.stack([place[:, None] < place] * 2)


class _Cost:
    """-2 ln of the probability of a node's samples given its predecessors, but for constants."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._known: dict[tuple[int, frozenset[int]], float] = {}

    def __call__(self, node: int, before: frozenset[int]) -> float:
        key = (node, before)
        if key not in self._known:
            c = self._columns
            parents = np.array(sorted(before), dtype=np.int64)
            mean = float(c.means[node])
            stretches = np.concatenate([c.moments[:, node], c.earlier[:, node]])
            error, freedom = squared_errors(stretches, node, parents, mean, c.precision)
            self._known[key] = float((error / c.variances[node] + freedom).sum())
        return self._known[key]


def _greedy(nodes: int, cost: _Cost, last: int | None) -> list[int]:
    left = [k for k in range(nodes) if k != last]
    order: list[int] = []
    whole = frozenset(range(nodes))
    while left:
        before = frozenset(order)
        excess = [cost(k, before) - cost(k, whole - {k}) for k in left]
        order.append(left.pop(int(np.argmin(excess))))
    return order if last is None else [*order, last]


def _moved(order: list[int], cost: _Cost, last: int | None) -> list[int]:
    movable = order if last is None else order[:-1]
    for _ in range(_ROUNDS):
        changed = False
        for node in list(movable):
            better = _best_place(movable, node, cost)
            changed |= better != movable
            movable = better
        if not changed:
            break
    return movable if last is None else [*movable, last]


def _best_place(order: list[int], node: int, cost: _Cost) -> list[int]:
    """The order with one node moved to where the samples are likeliest."""
    at = order.index(node)
    rest = order[:at] + order[at + 1 :]
    gains: Float[np.ndarray, " places"] = np.zeros(len(order))
    before = frozenset(rest)
    gains[-1] = cost(node, before)
    for k in range(len(rest) - 1, -1, -1):
        other = rest[k]
        earlier = frozenset(rest[:k])
        swap = cost(other, earlier | {node}) - cost(other, earlier)
        here = cost(node, earlier) - cost(node, earlier | {other})
        gains[k] = gains[k + 1] + swap + here
    if gains[at] <= gains.min() + 1e-9:
        return order
    best = int(gains.argmin())
    return [*rest[:best], node, *rest[best:]]
