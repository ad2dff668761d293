"""Directed graphs as boolean matrices, `[i, j]` where i causes j: reach, order, d-separation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int

from rootward.errors import InvalidInput

Links = Bool[np.ndarray, "nodes nodes"]


def reach(links: Links) -> Links:
    """Which node reaches which by one or more links; the diagonal tells the cycles."""
    found = links.copy()
    for through in range(len(links)):  # Warshall 1962
        found |= found[:, through, None] & found[through]
    return found


def is_acyclic(links: Links) -> bool:
    """Whether no node reaches itself."""
    return not bool(np.diagonal(reach(links)).any())


def causal_order(links: Links) -> Int[np.ndarray, " nodes"]:
    """Nodes with every cause before its effects, lower positions first where both would do.

    Raises:
        InvalidInput: the graph has a cycle.
    """
    waiting = links.sum(axis=0)
    order: list[int] = []
    left = np.ones(len(links), dtype=bool)
    while left.any():
        free = np.flatnonzero(left & (waiting == 0))
        if not len(free):
            raise InvalidInput("a graph with a cycle has no causal order")
        order.append(int(free[0]))
        left[free[0]] = False
        waiting = waiting - links[free[0]]
    return np.array(order, dtype=np.int64)


def shortest_path(links: Links, start: int, end: int) -> tuple[int, ...]:
    """Nodes from `start` to `end` along the links, fewest first; empty where there is no way."""
    came_from: dict[int, int] = {}
    edge = [start]
    while edge:
        following: list[int] = []
        for node in edge:
            for after in np.flatnonzero(links[node]).tolist():
                if after not in came_from:
                    came_from[after] = node
                    following.append(after)
        if end in came_from:
            return _traced(came_from, start, end)
        edge = following
    return ()


def _traced(came_from: dict[int, int], start: int, end: int) -> tuple[int, ...]:
    path = [end, came_from[end]]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return tuple(reversed(path))


def d_separated(links: Links, one: int, other: int, given: Sequence[int] = ()) -> bool:
    """Whether `given` blocks every path between two nodes of an acyclic graph.

    By moralisation (Lauritzen, Dawid, Larsen, Leimer 1990): in the graph of the three sets and
    their ancestors, with common causes of a node married and directions dropped, no way around
    `given` is left.

    Raises:
        InvalidInput: the graph has a cycle, or an end is among `given`.
    """
    if one in given or other in given:
        raise InvalidInput("a node that is held fixed cannot be an end of a path")
    above = reach(links)
    if np.diagonal(above).any():
        raise InvalidInput("d-separation is defined for acyclic graphs; this one has a cycle")
    kept = [one, other, *given]
    in_play = np.flatnonzero(above[:, kept].any(axis=1) | np.isin(np.arange(len(links)), kept))
    among = links[np.ix_(in_play, in_play)]
    married = (among.astype(np.int64) @ among.T.astype(np.int64)) > 0
    moral = among | among.T | married
    unfixed = ~np.isin(in_play, given)
    ways = reach(moral & unfixed[:, None] & unfixed)
    ends = [int(np.searchsorted(in_play, node)) for node in (one, other)]
    return one != other and not bool(ways[ends[0], ends[1]])
