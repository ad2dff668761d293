"""The published graph rankings: a graph of the series that went furthest, and plain PageRank."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidParameters
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.window import Window
from rootward.numerics.scores import n_sigma

MOST_SERIES = 40
"""Series that a graph is learnt on: those with the largest n-sigma score."""
_DIGITS = 12
"""Ranks that agree so far are equal: the order of a sum must not break a tie."""


def walked(
    case: Case, learn: Callable[[Window], CausalGraph], damping: float
) -> Float[np.ndarray, " series"]:
    """PageRank of each series on the reversed graph, so that rank gathers at causes.

    `learn` sees the rows before and after the onset as one, as RCAEval gives them to these
    methods. Nothing of how far a series went enters the walk; series outside of the graph have
    rank 0.

    Raises:
        InsufficientData: no onset, or too little for `learn`.
    """
    furthest = n_sigma(*before_and_after(case))
    series = case.window.series
    order = sorted(range(len(series)), key=lambda c: (-furthest[c], series[c]))
    chosen = sorted(order[:MOST_SERIES], key=lambda c: series[c])
    graph = learn(case.window.select(chosen).with_onset(None))
    walk: nx.DiGraph[int] = nx.DiGraph()
    walk.add_nodes_from(chosen)
    column = {series[c]: c for c in chosen}
    walk.add_edges_from((column[edge.effect], column[edge.cause]) for edge in graph.edges)
    ranks = nx.pagerank(walk, alpha=damping, max_iter=1000, tol=1e-12)
    found = np.zeros(len(series))
    for c, rank in ranks.items():
        found[c] = round(rank, _DIGITS)
    return found


def check_damping(damping: float) -> None:
    """Refuse what is no probability of walking on.

    Raises:
        InvalidParameters: outside of [0, 1).
    """
    if not 0 <= damping < 1:
        raise InvalidParameters(f"damping is {damping}; it must lie in [0, 1)")
