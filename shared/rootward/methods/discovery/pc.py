"""PC: edges that no small set of other series explains away, oriented where the data can."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.errors import InvalidParameters
from rootward.methods.base import About, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import baseline
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.numerics.independence import correlation_p, correlations, partial_correlations

_LEAST_ROWS = 20


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Which series are linked, however the link points."""

    linked: Bool[np.ndarray, "series series"]
    weakest: Float[np.ndarray, "series series"]
    """The (partial) correlation nearest to 0 among those tested."""
    separators: dict[tuple[int, int], tuple[int, ...]]
    """For each pair without a link, lower column first, what it is independent given."""


def skeleton(
    correlation: Float[np.ndarray, "series series"],
    samples: int,
    *,
    significance: float,
    most_conditions: int,
    most_neighbours: int,
) -> Skeleton:
    """The links that remain when every pair was tested given subsets of its neighbours.

    The stable variant (Colombo and Maathuis 2014): neighbours are those at the start of a
    level, so that the order of the tests does not matter. Of several separating sets the one
    with the largest p-value is kept.
    """
    p = correlation_p(correlation, samples, 0)
    linked = p <= significance
    np.fill_diagonal(linked, False)
    separators: dict[tuple[int, int], tuple[int, ...]] = {
        (int(i), int(j)): () for i, j in np.argwhere(np.triu(~linked, 1))
    }
    weakest = correlation.copy()
    for size in range(1, most_conditions + 1):
        before = linked.copy()
        for i, j in np.argwhere(np.triu(before, 1)).tolist():
            given = _conditions(before, correlation, (i, j), size, most_neighbours)
            if not len(given):
                continue
            r = partial_correlations(correlation, (i, j), given)
            least = r[np.abs(r).argmin()]
            if abs(least) < abs(weakest[i, j]):
                weakest[i, j] = weakest[j, i] = least
            tested = correlation_p(r, samples, size)
            if tested.max() > significance:
                linked[i, j] = linked[j, i] = False
                separators[i, j] = tuple(given[tested.argmax()].tolist())
    return Skeleton(linked, weakest, separators)


def _conditions(
    linked: Bool[np.ndarray, "series series"],
    correlation: Float[np.ndarray, "series series"],
    pair: tuple[int, int],
    size: int,
    most: int,
) -> Int[np.ndarray, "tests conditions"]:
    """Sets of one end's neighbours without the other end, the most correlated ones only."""
    found: set[tuple[int, ...]] = set()
    for end, other in (pair, pair[::-1]):
        near = [k for k in np.flatnonzero(linked[end]).tolist() if k != other]
        near.sort(key=lambda k: (-abs(correlation[end, k]), k))
        found.update(combinations(sorted(near[:most]), size))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, size)


def oriented(found: Skeleton) -> Bool[np.ndarray, "series series"]:
    """Arrows, (cause, effect); both ways where the data cannot tell.

    Colliders first: in i - k - j with i and j not linked, and k not what separates them, both
    point to k. Then Meek's rules 1 to 3 until they say no more. An edge that two colliders
    claim keeps the first direction.
    """
    linked = found.linked
    arrows = linked.copy()
    for (i, j), given in sorted(found.separators.items()):
        for k in np.flatnonzero(linked[i] & linked[j]).tolist():
            if k not in given:
                for end in (i, j):
                    if arrows[end, k]:
                        arrows[k, end] = False
    for _ in range(len(linked) ** 2):
        told = _meek(arrows, linked)
        if not told.any():
            break
        arrows = arrows & ~told.T
    return arrows


def _meek(
    arrows: Bool[np.ndarray, "series series"], linked: Bool[np.ndarray, "series series"]
) -> Bool[np.ndarray, "series series"]:
    """Which open edges a rule directs, (cause, effect); of two opposite claims the first column."""
    one_way = arrows & ~arrows.T
    open_edges = arrows & arrows.T
    unlinked = ~linked
    chain = one_way.T.astype(int) @ unlinked.astype(int) > 0
    shortcut = one_way.astype(int) @ one_way.astype(int) > 0
    told = open_edges & (chain | shortcut)
    for i, j in np.argwhere(open_edges & ~told).tolist():
        between = np.flatnonzero(open_edges[i] & one_way[:, j])
        told[i, j] = any(unlinked[k, m] for k, m in combinations(between.tolist(), 2))
    return np.asarray(told & ~np.tril(told.T))


@dataclass(frozen=True, kw_only=True)
class PC(DiscoveryMethod):
    """Draws an edge wherever no small set of other series makes two series independent.

    It compares values of the same row, so lags of a row and more are not seen; memory of the
    series makes it find too much. Edges that the data cannot orient point both ways.
    """

    significance: float = 0.05
    """P-value of Fisher's z up to which two series count as dependent."""
    most_conditions: int = 2
    """Largest set of series that is held fixed."""
    most_neighbours: int = 10
    """Most correlated neighbours of a series from which those sets are drawn."""

    about = About(
        name="pc",
        family=Family.DISCOVERY,
        question="Which series move together whatever else is held fixed?",
        paper="Spirtes, Glymour, Scheines 2000, Causation, Prediction, and Search; "
        "Colombo and Maathuis 2014, JMLR 15, stable variant; Meek 1995, UAI, orientation",
    )

    def __post_init__(self) -> None:
        if not 0 < self.significance < 1:
            raise InvalidParameters(f"significance is {self.significance}; it lies in (0, 1)")
        if self.most_conditions < 0 or self.most_neighbours < 1:
            raise InvalidParameters("most_conditions is at least 0, most_neighbours at least 1")

    def discover(self, window: Window, seed: int) -> CausalGraph:
        rows = baseline(window)
        rows.require(_LEAST_ROWS, 0)
        found = skeleton(
            correlations(rows.values),
            len(rows.values),
            significance=self.significance,
            most_conditions=self.most_conditions,
            most_neighbours=self.most_neighbours,
        )
        series = [window.series[column] for column in rows.columns]
        edges = tuple(
            Edge(series[i], series[j], 0, abs(weight := float(found.weakest[i, j])), _sign(weight))
            for i, j in np.argwhere(oriented(found)).tolist()
        )
        return CausalGraph(window.series, edges)

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)


def _sign(value: float) -> int:
    return int(np.sign(value))
