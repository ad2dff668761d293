"""Residuals tell a broken mechanism from a change that is passed on."""

from itertools import pairwise

import numpy as np
import pytest

from rootward.methods.ranking.residuals import Residuals
from rootward.methods.ranking.surprise import Surprise
from rootward.model.graph import CausalGraph, Edge
from rootward.numerics.mechanism import UNKNOWN, mechanism
from rootward.testing import cases


def _pair(broken: int) -> np.ndarray:
    """x drives y one row later; the mechanism of one of them shifts at row 200."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=240), rng.normal(0, 0.3, 240)
    if broken == 0:
        x[200:] += 10
    y[1:] += x[:-1]
    if broken == 1:
        y[200:] += 10
    return np.column_stack([x, y])


def test_a_departure_that_follows_its_cause_is_passed_on():
    found = mechanism(_pair(broken=0), 200, np.arange(240), 1, [(0, 1)])

    assert found.fit > 0.8
    assert found.passed_on > 0.7


def test_a_departure_without_its_cause_is_its_own():
    found = mechanism(_pair(broken=1), 200, np.arange(240), 1, [(0, 1)])

    assert found.fit > 0.8
    assert found.passed_on < 0.2


def test_a_cause_that_never_foretold_anything_excuses_nothing():
    values = np.random.default_rng(5).normal(size=(240, 2))
    values[200:] += 10

    assert mechanism(values, 200, np.arange(240), 1, [(0, 1)]).passed_on < 0.1


def test_few_rows_and_no_causes_say_nothing():
    values = _pair(broken=0)

    assert mechanism(values[190:], 10, np.arange(50), 1, [(0, 1)]) == UNKNOWN
    assert mechanism(values, 200, np.arange(240), 1, []) == UNKNOWN


def test_a_lag_does_not_reach_over_a_recording_gap():
    values, since_gap = _pair(broken=0), np.zeros(240, dtype=int)

    assert mechanism(values, 200, since_gap, 1, [(0, 1)]) == UNKNOWN


def test_the_head_of_a_chain_stands_further_ahead_than_by_surprise_alone():
    planted = cases.chain(fault=8.0)
    series = planted.window.series
    edges = tuple(Edge(a, b, 1, 1.0) for a, b in pairwise(series))
    case = planted.case(graph=CausalGraph(series, edges))

    left, all_of_it = Residuals().scores(case), Surprise().scores(case)

    assert int(left.argmax()) == 0
    assert left[0] == pytest.approx(all_of_it[0])
    assert (left[1:] < all_of_it[1:]).all()
