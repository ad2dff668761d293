"""TEDDY's one look at a graph: which lines can go, told by the degrees of their ends alone.

Nodes are numbers from 0; a line is a pair of nodes, without direction, never from a node to itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx
import numpy as np
from jaxtyping import Float, Int

Lines = Int[np.ndarray, "lines 2"]


def lines_between(pairs: Iterable[tuple[int, int]]) -> Lines:
    """Each pair once, whichever way it was given, in order; a node's pair with itself is none."""
    known = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    return np.array(known, dtype=np.int64).reshape(-1, 2)


def line_scores(lines: Lines, nodes: int) -> Float[np.ndarray, " lines"]:
    """`T(u, v) = g(u) / deg(u) * g(v) / deg(v)`; the lower, the sooner a line may go.

    `g(v)`, the mean over the neighbours w of v of `deg(w)**-0.5`, is high where a node's
    neighbours have few others. T falls with every degree up to two lines away, so that lines
    between hubs stand last. Seo, Yun, Yang 2024, section 3.
    """
    one, other = lines.T
    degree = np.bincount(lines.ravel(), minlength=nodes).astype(np.float64)
    inverse = 1.0 / np.sqrt(np.maximum(degree, 1.0))
    mean = np.zeros(nodes)
    np.add.at(mean, one, inverse[other])
    np.add.at(mean, other, inverse[one])
    share = mean / np.maximum(degree, 1.0) ** 2
    return np.asarray(share[one] * share[other])


def first_out(scores: Float[np.ndarray, " lines"], share: float) -> Int[np.ndarray, " gone"]:
    """Places of the `floor(share * lines)` lines of lowest score, the lowest first."""
    return np.argsort(scores, kind="stable")[: int(share * len(scores) + 1e-9)]


def first_out_attached(
    lines: Lines, scores: Float[np.ndarray, " lines"], share: float
) -> Int[np.ndarray, " gone"]:
    """The same, but a line that is the last way to a part of the map stays, and the next one goes.

    That is ours; the paper lets the map fall apart.
    """
    wanted = int(share * len(scores) + 1e-9)
    graph: nx.Graph[int] = nx.Graph(lines.tolist())
    gone: list[int] = []
    for place in np.argsort(scores, kind="stable").tolist():
        if len(gone) == wanted:
            break
        one, other = lines[place].tolist()
        graph.remove_edge(one, other)
        if nx.has_path(graph, one, other):
            gone.append(place)
        else:
            graph.add_edge(one, other)
    return np.array(gone, dtype=np.int64)


def pieces(lines: Lines, nodes: Sequence[int]) -> int:
    """Into how many parts the map of the given nodes falls."""
    graph: nx.Graph[int] = nx.Graph(lines.tolist())
    graph.add_nodes_from(nodes)
    return int(nx.number_connected_components(graph))
