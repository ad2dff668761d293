"""The part of a causal graph that tells how a cause reached the symptom, small enough to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rootward.model.graph import CausalGraph, Edge
from rootward.model.series import Series

MOST_NODES = 15
_FEW_NODES = 8
_MOST_EDGES = 24
_WEAK = 0.3
"""What is weaker than this share of the best path's weakest edge is left out."""


@dataclass(frozen=True)
class Spread:
    """Series in drawing order, the cause first, and the edges between them, strongest first."""

    series: tuple[Series, ...]
    edges: tuple[Edge, ...]
    connected: bool
    """Whether a directed path leads from the cause to the symptom."""


@dataclass(frozen=True)
class _Reach:
    """How strongly each series is reached: the weakest edge of its best path, and that path."""

    strength: Mapping[Series, float]
    via: Mapping[Series, Edge]

    def path(self, series: Series) -> list[Edge]:
        """The edges of the best path, from the far end back to the start."""
        edges: list[Edge] = []
        while series in self.via:
            edge = self.via[series]
            edges.append(edge)
            series = edge.cause if edge.effect == series else edge.effect
        return edges


def spread(graph: CausalGraph, cause: Series, symptom: Series) -> Spread:
    """The series on paths from cause to symptom, those on the strongest paths first, at most 15.

    Paths and edges far weaker than the best path are left out. Where no path leads there: cause
    and symptom with their strongest direct neighbours.
    """
    edges = _strongest_of_each_pair(graph.edges)
    down = _reach(edges, cause, forward=True)
    up = _reach(edges, symptom, forward=False)
    connected = cause != symptom and symptom in down.strength
    least = 0.0
    if connected:
        least = _WEAK * min(down.strength[symptom], up.strength[cause])
        paths = _paths_through(down, up, least)
        kept, chosen = _choose({cause, symptom}, paths, MOST_NODES)
    else:
        near = [[e] for e in edges if {e.cause, e.effect} & {cause, symptom}]
        kept, chosen = _choose({cause, symptom}, near, _FEW_NODES)
    between = [e for e in edges if e.cause in chosen and e.effect in chosen and e not in kept]
    between = [e for e in between if e.weight >= least]
    drawn = sorted([*kept, *between[: max(0, _MOST_EDGES - len(kept))]], key=lambda e: -e.weight)
    rest = (s for s in graph.series if s in chosen and s not in (cause, symptom))
    return Spread(tuple(dict.fromkeys((cause, *rest, symptom))), tuple(drawn), connected)


def whole(graph: CausalGraph, most_nodes: int = MOST_NODES) -> Spread:
    """A whole graph where it is small, its strongest edges and their series where it is not."""
    edges = _strongest_of_each_pair(graph.edges)
    kept, chosen = _choose(set(), [[e] for e in edges], most_nodes)
    if len(graph.series) <= most_nodes:
        chosen = set(graph.series)
    drawn = sorted(kept, key=lambda e: -e.weight)[:_MOST_EDGES]
    return Spread(tuple(s for s in graph.series if s in chosen), tuple(drawn), True)


def _strongest_of_each_pair(edges: Iterable[Edge]) -> list[Edge]:
    best: dict[tuple[Series, Series], Edge] = {}
    for edge in edges:
        pair = (edge.cause, edge.effect)
        if pair not in best or edge.weight > best[pair].weight:
            best[pair] = edge
    return sorted(best.values(), key=lambda e: -e.weight)


def _reach(edges: list[Edge], start: Series, *, forward: bool) -> _Reach:
    """Widest paths along (or against) the edges; the edges come strongest first."""
    strength: dict[Series, float] = {start: math.inf}
    via: dict[Series, Edge] = {}
    for _ in range(len(edges)):
        step = next((e for e in edges if _leads_on(e, strength, forward=forward)), None)
        if step is None:
            break
        here, there = (step.cause, step.effect) if forward else (step.effect, step.cause)
        strength[there] = min(strength[here], step.weight)
        via[there] = step
    return _Reach(strength, via)


def _leads_on(edge: Edge, strength: Mapping[Series, float], *, forward: bool) -> bool:
    here, there = (edge.cause, edge.effect) if forward else (edge.effect, edge.cause)
    return here in strength and there not in strength


def _paths_through(down: _Reach, up: _Reach, least: float) -> list[list[Edge]]:
    through = {s: min(down.strength[s], up.strength[s]) for s in down.strength if s in up.strength}
    between = sorted((s for s in through if through[s] >= least), key=lambda s: -through[s])
    return [[*down.path(s), *up.path(s)] for s in between]


def _choose(
    chosen: set[Series], groups: Iterable[list[Edge]], most: int
) -> tuple[list[Edge], set[Series]]:
    """Take groups of edges, first ones first, as long as their series fit."""
    kept: dict[Edge, None] = {}
    for group in groups:
        wanted = chosen | {s for e in group for s in (e.cause, e.effect)}
        if len(wanted) <= most:
            chosen = wanted
            kept.update(dict.fromkeys(group))
    return list(kept), chosen
