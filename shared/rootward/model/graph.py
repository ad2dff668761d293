"""Causal graphs over series."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidInput
from rootward.model.series import Series


@dataclass(frozen=True)
class Edge:
    """`cause` at row t - `lag` drives `effect` at row t; `weight` >= 0 is its strength.

    `sign` is +1 where both move the same way, -1 where they move against each other, 0 where
    that is not known. `confidence` is the share of resamples that show the edge, if measured.
    """

    cause: Series
    effect: Series
    lag: int
    weight: float
    sign: int = 0
    confidence: float | None = None


@dataclass(frozen=True)
class CausalGraph:
    """Series and the edges between them; no series drives itself here."""

    series: tuple[Series, ...]
    edges: tuple[Edge, ...]

    def __post_init__(self) -> None:
        known = set(self.series)
        for edge in self.edges:
            if edge.cause == edge.effect:
                raise InvalidInput(f"{edge.cause} causes itself in a causal graph")
            if edge.cause not in known or edge.effect not in known:
                raise InvalidInput(f"edge {edge.cause} → {edge.effect} leaves the graph")

    def matrix(self) -> Float[np.ndarray, "series series"]:
        """Weights; `[i, j]` is the strongest edge by which series i causes series j, or 0."""
        position = {s: k for k, s in enumerate(self.series)}
        weights = np.zeros((len(self.series), len(self.series)))
        for edge in self.edges:
            i, j = position[edge.cause], position[edge.effect]
            weights[i, j] = max(weights[i, j], edge.weight)
        return weights

    def to_networkx(self) -> nx.DiGraph[Series]:
        """The same graph for networkx; the strongest edge of a pair carries its attributes."""
        graph: nx.DiGraph[Series] = nx.DiGraph()
        graph.add_nodes_from(self.series)
        for edge in sorted(self.edges, key=lambda e: e.weight):
            graph.add_edge(
                edge.cause,
                edge.effect,
                weight=edge.weight,
                lag=edge.lag,
                sign=edge.sign,
                confidence=edge.confidence,
            )
        return graph

    def restricted(self, keep: frozenset[Series]) -> CausalGraph:
        """The part of the graph between the given series."""
        return CausalGraph(
            tuple(s for s in self.series if s in keep),
            tuple(e for e in self.edges if e.cause in keep and e.effect in keep),
        )
