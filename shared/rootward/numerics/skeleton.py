"""Which variables are linked, and which way: PC's search with any test of independence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.independence import correlation_p, partial_correlations
from rootward.numerics.pace import GoOn, always


@runtime_checkable
class IndependenceTest(Protocol):
    """Strength (0 is none) and p-value of the dependence between two variables."""

    @property
    def size(self) -> int:
        """How many variables there are."""

    def pairs(
        self,
    ) -> tuple[Float[np.ndarray, "variables variables"], Float[np.ndarray, "variables variables"]]:
        """Of all pairs with nothing held fixed; the diagonal is not looked at."""

    def given(
        self, pair: tuple[int, int], conditions: Int[np.ndarray, "tests conditions"]
    ) -> tuple[Float[np.ndarray, " tests"], Float[np.ndarray, " tests"]]:
        """Of one pair, with the variables of each line of `conditions` held fixed."""


@dataclass(frozen=True, eq=False)
class FisherZ:
    """Partial correlation with Fisher's z; sees what is linear."""

    correlation: Float[np.ndarray, "variables variables"]
    samples: float | int
    """Independent rows; the effective number where rows have a memory."""

    @property
    def size(self) -> int:
        return len(self.correlation)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return self.correlation, correlation_p(self.correlation, self.samples, 0)

    def given(
        self, pair: tuple[int, int], conditions: Int[np.ndarray, "tests conditions"]
    ) -> tuple[np.ndarray, np.ndarray]:
        r = partial_correlations(self.correlation, pair, conditions)
        return r, correlation_p(r, self.samples, conditions.shape[1])


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Which variables are linked, however the link points."""

    linked: Bool[np.ndarray, "variables variables"]
    weakest: Float[np.ndarray, "variables variables"]
    """The strength nearest to 0 among those tested."""
    p: Float[np.ndarray, "variables variables"]
    """The largest p-value among those tested."""
    separators: dict[tuple[int, int], tuple[int, ...]]
    """For each pair without a link, lower column first, what it is independent given."""
    complete: bool = True
    """Whether there was time for every test; else links may stand that a test would remove."""


def skeleton(
    test: IndependenceTest,
    *,
    significance: float | Float[np.ndarray, "variables variables"],
    most_conditions: int,
    most_neighbours: int,
    go_on: GoOn = always,
) -> Skeleton:
    """The links that remain when every pair was tested given subsets of its neighbours.

    The stable variant (Colombo and Maathuis 2014): neighbours are those at the start of a
    level, so that the order of the tests does not matter. Of several separating sets the one
    with the largest p-value is kept. A pair counts as dependent up to its `significance`.
    """
    strength, p = test.pairs()
    levels = np.broadcast_to(significance, p.shape)
    linked = p <= levels
    np.fill_diagonal(linked, False)
    separators: dict[tuple[int, int], tuple[int, ...]] = {
        (int(i), int(j)): () for i, j in np.argwhere(np.triu(~linked, 1))
    }
    weakest, largest = strength.copy(), p.copy()
    for size in range(1, most_conditions + 1):
        before = linked.copy()
        pairs = np.argwhere(np.triu(before, 1)).tolist()
        for done, (i, j) in enumerate(pairs):
            if not go_on((size - 1 + done / len(pairs)) / most_conditions):
                return Skeleton(linked, weakest, largest, separators, complete=False)
            given = _conditions(before, strength, (i, j), size, most_neighbours)
            if not len(given):
                continue
            found, tested = test.given((i, j), given)
            least = found[np.abs(found).argmin()]
            if abs(least) < abs(weakest[i, j]):
                weakest[i, j] = weakest[j, i] = least
            largest[i, j] = largest[j, i] = max(largest[i, j], tested.max())
            if tested.max() > levels[i, j]:
                linked[i, j] = linked[j, i] = False
                separators[i, j] = tuple(given[tested.argmax()].tolist())
    return Skeleton(linked, weakest, largest, separators)


def _conditions(
    linked: Bool[np.ndarray, "variables variables"],
    strength: Float[np.ndarray, "variables variables"],
    pair: tuple[int, int],
    size: int,
    most: int,
) -> Int[np.ndarray, "tests conditions"]:
    """Sets of one end's neighbours without the other end, the most dependent ones only."""
    found: set[tuple[int, ...]] = set()
    for end, other in (pair, pair[::-1]):
        near = [k for k in np.flatnonzero(linked[end]).tolist() if k != other]
        near.sort(key=lambda k: (-abs(strength[end, k]), k))
        found.update(combinations(sorted(near[:most]), size))
    return np.array(sorted(found), dtype=np.int64).reshape(-1, size)


def oriented(found: Skeleton, roots: Sequence[int] = ()) -> Bool[np.ndarray, "variables variables"]:
    """Arrows, (cause, effect); both ways where the data cannot tell.

    Nothing points to a root. Colliders next: in i - k - j with i and j not linked, and k not
    what separates them, both point to k. Then Meek's rules 1 to 3 until they say no more. An
    edge that two colliders claim keeps the first direction.
    """
    linked = found.linked
    arrows = linked.copy()
    arrows[:, list(roots)] = False
    for (i, j), given in sorted(found.separators.items()):
        for k in np.flatnonzero(linked[i] & linked[j]).tolist():
            if k not in given:
                for end in (i, j):
                    if arrows[end, k]:
                        arrows[k, end] = False
    return meek(arrows)


def meek(
    arrows: Bool[np.ndarray, "variables variables"],
) -> Bool[np.ndarray, "variables variables"]:
    """The arrows with every open edge directed that Meek's rules 1 to 3 direct (1995)."""
    linked = arrows | arrows.T
    arrows = arrows.copy()
    for _ in range(len(linked) ** 2):
        told = _told(arrows, linked)
        if not told.any():
            break
        arrows &= ~told.T
    return arrows


def _told(
    arrows: Bool[np.ndarray, "variables variables"],
    linked: Bool[np.ndarray, "variables variables"],
) -> Bool[np.ndarray, "variables variables"]:
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


def equivalence_class(
    acyclic: Bool[np.ndarray, "variables variables"],
) -> Bool[np.ndarray, "variables variables"]:
    """What independences can tell of a graph at best: its arrows, both ways where they cannot.

    The colliders of the graph and Meek's rules (Verma and Pearl 1990).
    """
    linked = acyclic | acyclic.T
    arrows = linked.copy()
    for effect in range(len(acyclic)):
        causes = np.flatnonzero(acyclic[:, effect]).tolist()
        for i, j in combinations(causes, 2):
            if not linked[i, j]:
                arrows[effect, [i, j]] = False
    return meek(arrows)


def hamming_distance(
    one: Bool[np.ndarray, "variables variables"], other: Bool[np.ndarray, "variables variables"]
) -> int:
    """Pairs whose edge differs: there or not, or its direction (both ways is a third)."""
    differs = one != other
    return int(np.triu(differs | differs.T, 1).sum())
