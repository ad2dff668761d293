"""PageRank gathers at the cause of what the symptom shows."""

from itertools import pairwise

import numpy as np
import pytest

from rootward.errors import InvalidParameters
from rootward.methods.ranking.page_rank import PageRank
from rootward.model.graph import CausalGraph, Edge
from rootward.numerics.walk import pagerank
from rootward.testing import cases


def test_rank_gathers_at_the_head_of_a_chain():
    planted = cases.chain(fault=8.0)
    series = planted.window.series
    edges = tuple(Edge(a, b, 1, 1.0) for a, b in pairwise(series))

    scores = PageRank().scores(planted.case(graph=CausalGraph(series, edges)))

    assert int(scores.argmax()) == 0


def test_it_learns_a_graph_where_none_is_given():
    planted = cases.shop(service="catalog-db", size=20.0)

    found = PageRank().service_scores(planted.case())

    assert "catalog-db" in sorted(found, key=lambda s: -found[s])[:3]


def test_ranks_sum_to_one_and_no_edge_means_surprise_alone():
    surprise = np.array([1.0, 3.0, 0.0])

    found = pagerank(np.zeros((3, 3)), surprise, None, 0.85)

    assert found.sum() == pytest.approx(1.0)
    assert found == pytest.approx(surprise / 4)


def test_a_strong_surprise_holds_the_walker_against_a_weak_cause():
    causes = np.array([[0.0, 1.0], [0.0, 0.0]])  # 0 causes 1

    found = pagerank(causes, np.array([0.1, 5.0]), 1, 0.85)

    assert found[1] > found[0]


def test_nothing_surprising_is_an_even_walk():
    assert pagerank(np.zeros((4, 4)), np.zeros(4), None, 0.85) == pytest.approx(0.25)


def test_a_damping_of_one_is_refused():
    with pytest.raises(InvalidParameters, match="damping"):
        PageRank(damping=1.0)
