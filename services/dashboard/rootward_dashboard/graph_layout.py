"""A layered layout for small causal graphs: causes on the left, what they drive on the right.

Edges that close a cycle are set aside, the rest is layered by longest path, long edges get a
waypoint in each layer they cross, and layers are ordered by barycentres (Sugiyama, Tagawa and
Toda 1981, IEEE Transactions on Systems, Man, and Cybernetics 11(2)).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)
Arc = tuple[N, N]
_SWEEPS = 6


@dataclass(frozen=True)
class Layout(Generic[N]):
    """Places of nodes and courses of edges on a grid of layers and rows."""

    places: dict[N, tuple[int, float]]
    """Layer from the left, and place down in rows; the drawing's middle is 0."""
    courses: dict[Arc[N], tuple[tuple[int, float], ...]]
    """Places an edge runs through, from its cause to its effect."""
    backward: frozenset[Arc[N]]
    """Edges that close a cycle: they run from right to left or within a layer."""

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return 1 + max((layer for layer, _ in self.places.values()), default=-1)

    @property
    def extent(self) -> tuple[float, float]:
        """The highest and the lowest place, in rows; waypoints included."""
        rows = [y for course in self.courses.values() for _, y in course]
        rows += [y for _, y in self.places.values()]
        return min(rows, default=0.0), max(rows, default=0.0)


def layered(nodes: Sequence[N], arcs: Sequence[Arc[N]]) -> Layout[N]:
    """Lay a graph out; the result depends on the order of nodes and arcs and on nothing else.

    Earlier nodes count as more upstream where a cycle has to be cut.
    """
    backward = _closing_arcs(nodes, arcs)
    forward = [arc for arc in arcs if arc not in backward]
    layer = _longest_path_layers(nodes, forward)
    chains = {arc: _chain(arc, layer, k) for k, arc in enumerate(forward)}
    rows = _ordered_rows(nodes, layer, list(chains.values()))
    places = {node: (layer[node], rows[(layer[node], _Real(node))]) for node in nodes}
    courses: dict[Arc[N], tuple[tuple[int, float], ...]] = {
        arc: tuple((point[0], rows[point]) for point in chain) for arc, chain in chains.items()
    }
    courses |= {(a, b): (places[a], places[b]) for a, b in backward}
    return Layout(places, courses, frozenset(backward))


@dataclass(frozen=True)
class _Real(Generic[N]):
    node: N


@dataclass(frozen=True)
class _Waypoint:
    arc: int


_Slot = tuple[int, "_Real[N] | _Waypoint"]


def _closing_arcs(nodes: Sequence[N], arcs: Sequence[Arc[N]]) -> set[Arc[N]]:
    """Arcs that lead back to a node still open in a depth-first walk."""
    following: dict[N, list[N]] = {node: [] for node in nodes}
    for a, b in arcs:
        following[a].append(b)
    closing: set[Arc[N]] = set()
    done: set[N] = set()
    for root in nodes:
        if root in done:
            continue
        path = {root: iter(following[root])}
        while path:
            node = next(reversed(path))
            successor = next(path[node], None)
            if successor is None:
                path.pop(node)
                done.add(node)
            elif successor in path:
                closing.add((node, successor))
            elif successor not in done:
                path[successor] = iter(following[successor])
    return closing


def _longest_path_layers(nodes: Sequence[N], arcs: Sequence[Arc[N]]) -> dict[N, int]:
    """Every node right of all its causes; sources move right to just before what they drive."""
    layer = dict.fromkeys(nodes, 0)
    for _ in nodes:
        moved = False
        for a, b in arcs:
            if layer[b] <= layer[a]:
                layer[b] = layer[a] + 1
                moved = True
        if not moved:
            break
    driven = {b for _, b in arcs}
    nearest: dict[N, int] = {}
    for a, b in arcs:
        nearest[a] = min(nearest.get(a, layer[b]), layer[b])
    first = nodes[0] if nodes else None
    for node in nodes:
        if node not in driven and node in nearest and node != first:
            layer[node] = nearest[node] - 1
    return layer


def _chain(arc: Arc[N], layer: dict[N, int], number: int) -> list[_Slot[N]]:
    a, b = arc
    between: list[_Slot[N]] = [(k, _Waypoint(number)) for k in range(layer[a] + 1, layer[b])]
    return [(layer[a], _Real(a)), *between, (layer[b], _Real(b))]


def _ordered_rows(
    nodes: Sequence[N], layer: dict[N, int], chains: list[list[_Slot[N]]]
) -> dict[_Slot[N], float]:
    """Barycentre sweeps to and fro; every layer is centred on the middle of the drawing."""
    slots: dict[_Slot[N], None] = {(layer[n], _Real(n)): None for n in nodes}
    near: dict[_Slot[N], list[_Slot[N]]] = {slot: [] for slot in slots}
    for chain in chains:
        for left, right in pairwise(chain):
            slots[left] = slots[right] = None
            near.setdefault(left, []).append(right)
            near.setdefault(right, []).append(left)
    count = 1 + max((k for k, _ in slots), default=-1)
    order: list[list[_Slot[N]]] = [[s for s in slots if s[0] == k] for k in range(count)]
    rows = _centred(order)
    for sweep in range(_SWEEPS):
        rightward = sweep % 2 == 0
        for k in range(count) if rightward else reversed(range(count)):
            side = k - 1 if rightward else k + 1
            wanted = {slot: _barycentre(slot, side, near, rows) for slot in order[k]}
            order[k].sort(key=wanted.__getitem__)
            rows |= _centred([order[k]])
    return rows


def _barycentre(
    slot: _Slot[N],
    side: int,
    near: dict[_Slot[N], list[_Slot[N]]],
    rows: dict[_Slot[N], float],
) -> float:
    beside = [rows[other] for other in near[slot] if other[0] == side]
    return sum(beside) / len(beside) if beside else rows[slot]


def _centred(order: list[list[_Slot[N]]]) -> dict[_Slot[N], float]:
    return {
        slot: place - (len(layer) - 1) / 2 for layer in order for place, slot in enumerate(layer)
    }
