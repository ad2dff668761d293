"""The fit of a wide system in parts: the same graph, whoever does them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from rootward.methods.discovery.neural_granger.method import NeuralGranger
from rootward.methods.discovery.neural_granger.parts import LARGEST_PART, part_count
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.spread import Arrays, GoOn, PartWork
from rootward.testing import cases

METHOD = NeuralGranger(steps=60)
WIDE = cases.random_graph(rows=160, seed=3, series=2 * LARGEST_PART + 10)


class OverThreads:
    """Does the last part first."""

    def __init__(self) -> None:
        self.parts: Sequence[int] = ()

    def __call__(
        self, method: str, work: PartWork, shared: Arrays, parts: int, go_on: GoOn
    ) -> list[Arrays]:
        assert METHOD.about.name == method
        self.parts = range(parts)
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(work, shared, k, go_on) for k in reversed(self.parts)]
        return [one.result() for one in reversed(done)]


@pytest.fixture(scope="module")
def heard() -> list[float]:
    """Which shares were told of while the parts were done in turn."""
    return []


@pytest.fixture(scope="module")
def alone(heard: list[float]) -> CausalGraph:
    """The graph of parts that were done in turn."""
    return METHOD.learn(Case(WIDE.window, progress=heard.append))


def test_the_graph_is_the_same_bit_for_bit_however_the_parts_are_done(alone: CausalGraph):
    over_threads = OverThreads()
    spread = METHOD.learn(Case(WIDE.window, spread=over_threads))

    assert len(over_threads.parts) == 3
    assert alone.edges
    assert spread == alone


def test_the_parts_find_what_was_planted(alone: CausalGraph):
    found = {(e.cause, e.effect) for e in alone.edges}
    chance = len(WIDE.edges) / len(WIDE.window.series) ** 2

    assert chance < 0.05
    assert len(found & WIDE.edges) / len(found) > 0.5


def test_what_a_diagnosis_learns_on_is_one_part():
    assert [part_count(n) for n in (1, 40, 48, 49, 1000)] == [1, 1, 1, 2, 21]


def test_whoever_watches_hears_of_all_parts(alone: CausalGraph, heard: list[float]):
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
