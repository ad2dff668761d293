"""PC's search and Meek's rules, on graphs whose equivalence class is known."""

import numpy as np

from rootward.numerics.skeleton import equivalence_class, hamming_distance, meek, oriented, skeleton


def _matrix(size: int, *edges: tuple[int, int]) -> np.ndarray:
    found = np.zeros((size, size), dtype=bool)
    for cause, effect in edges:
        found[cause, effect] = True
    return found


class Oracle:
    """Independence read off a list of separated pairs."""

    def __init__(self, size: int, separated: dict[tuple[int, int], set[tuple[int, ...]]]) -> None:
        self.size, self.separated = size, separated

    def pairs(self):
        p = np.zeros((self.size, self.size))
        for (i, j), sets in self.separated.items():
            p[i, j] = p[j, i] = float(() in sets)
        return 1 - p, p

    def given(self, pair, conditions):
        known = self.separated.get((min(pair), max(pair)), set())
        p = np.array([float(tuple(line) in known) for line in conditions.tolist()])
        return 1 - p, p


def _found(oracle: Oracle, roots: tuple[int, ...] = ()) -> np.ndarray:
    found = skeleton(oracle, significance=0.5, most_conditions=2, most_neighbours=9)
    return oriented(found, roots)


def test_a_chain_stays_open_and_a_collider_is_directed():
    assert np.array_equal(
        _found(Oracle(3, {(0, 2): {(1,)}})), _matrix(3, (0, 1), (1, 0), (1, 2), (2, 1))
    )
    assert np.array_equal(_found(Oracle(3, {(0, 2): {()}})), _matrix(3, (0, 1), (2, 1)))


def test_a_root_directs_what_it_changes_and_what_follows():
    assert np.array_equal(
        _found(Oracle(3, {(0, 2): {(1,)}}), roots=(0,)), _matrix(3, (0, 1), (1, 2))
    )
    assert np.array_equal(_found(Oracle(3, {(0, 2): {()}}), roots=(0,)), _matrix(3, (0, 1), (2, 1)))


def test_the_class_of_a_graph_keeps_colliders_and_what_they_imply():
    diamond = _matrix(5, (0, 1), (0, 2), (1, 3), (2, 3), (3, 4))
    found = equivalence_class(diamond)
    assert found[1, 3]
    assert not found[3, 1]
    assert found[3, 4]
    assert not found[4, 3]
    assert found[0, 1]
    assert found[1, 0]


def test_meek_closes_a_shortcut():
    assert np.array_equal(
        meek(_matrix(3, (0, 1), (1, 2), (0, 2), (2, 0))), _matrix(3, (0, 1), (1, 2), (0, 2))
    )


def test_a_missing_edge_a_turned_edge_and_an_open_edge_count_one_each():
    truth = _matrix(4, (0, 1), (1, 2), (2, 3))
    found = _matrix(4, (1, 0), (1, 2), (2, 1))
    assert hamming_distance(truth, found) == 3
    assert hamming_distance(truth, truth) == 0
