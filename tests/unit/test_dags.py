"""Reach, order and d-separation against brute force over all paths."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from rootward.errors import InvalidInput
from rootward.numerics.dags import causal_order, d_separated, is_acyclic, reach, shortest_path


def _random_dag(rng: np.random.Generator) -> np.ndarray:
    size = int(rng.integers(3, 7))
    upper = np.triu(rng.random((size, size)) < rng.uniform(0.2, 0.7), 1)
    order = rng.permutation(size)
    return upper[np.ix_(order, order)]


def _reaches(links: np.ndarray, start: int, end: int) -> bool:
    return any(
        after == end or _reaches(links, after, end) for after in np.flatnonzero(links[start])
    )


def _is_open(links: np.ndarray, path: tuple[int, ...], given: tuple[int, ...]) -> bool:
    """Pearl's rule on one path, node by node."""
    for before, node, after in zip(path, path[1:], path[2:], strict=False):
        if links[before, node] and links[after, node]:
            if not any(node == g or _reaches(links, node, g) for g in given):
                return False
        elif node in given:
            return False
    return True


def _brute_force(links: np.ndarray, one: int, other: int, given: tuple[int, ...]) -> bool:
    skeleton = nx.from_numpy_array(links | links.T)
    paths = nx.all_simple_paths(skeleton, one, other)
    return not any(_is_open(links, tuple(path), given) for path in paths)


def test_two_hundred_random_graphs_agree_with_brute_force_on_reach_and_d_separation():
    rng = np.random.default_rng(0)
    for _ in range(200):
        links = _random_dag(rng)
        nodes = range(len(links))
        reached = reach(links)
        assert all(reached[i, j] == _reaches(links, i, j) for i in nodes for j in nodes)
        one, other = rng.choice(len(links), size=2, replace=False).tolist()
        rest = [k for k in nodes if k not in (one, other)]
        for size in range(len(rest) + 1):
            for given in combinations(rest, size):
                expected = _brute_force(links, one, other, given)
                assert d_separated(links, one, other, given) == expected


def test_a_collider_blocks_until_it_or_its_effect_is_held_fixed():
    links = np.zeros((4, 4), dtype=bool)
    links[0, 2] = links[1, 2] = links[2, 3] = True
    assert d_separated(links, 0, 1)
    assert not d_separated(links, 0, 1, (2,))
    assert not d_separated(links, 0, 1, (3,))


def test_causes_come_before_effects_and_a_cycle_is_refused():
    rng = np.random.default_rng(1)
    for _ in range(20):
        links = _random_dag(rng)
        place = np.argsort(causal_order(links))
        assert all(place[i] < place[j] for i, j in np.argwhere(links))
    ring = np.roll(np.eye(3, dtype=bool), 1, axis=1)
    assert not is_acyclic(ring)
    with pytest.raises(InvalidInput, match="cycle"):
        causal_order(ring)
    with pytest.raises(InvalidInput, match="cycle"):
        d_separated(ring, 0, 1)


def test_the_shortest_way_is_found_and_no_way_is_empty():
    links = np.zeros((5, 5), dtype=bool)
    for i, j in ((0, 1), (1, 2), (2, 3), (0, 2)):
        links[i, j] = True
    assert shortest_path(links, 0, 3) == (0, 2, 3)
    assert shortest_path(links, 3, 0) == ()
    assert shortest_path(links, 0, 4) == ()


def test_a_fixed_end_is_refused():
    with pytest.raises(InvalidInput, match="held fixed"):
        d_separated(np.zeros((2, 2), dtype=bool), 0, 1, (1,))
