"""PRISM adds what is off inside a service to what is off outside."""

import numpy as np
import pytest

from rootward.methods.ranking.prism import Prism
from rootward.model.case import Case
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.scores import prism


def test_a_service_off_on_both_sides_beats_one_that_is_off_on_one():
    names = ("a|cpu", "a|latency_p99", "b|cpu", "b|latency_p99")
    values = np.random.default_rng(0).normal(size=(60, 4))
    values[50:, 0] += 12
    values[50:, 2:] += 9
    window = Window(tuple(Series.from_column(n) for n in names), np.arange(60.0), values, 1.0, 50)

    found = Prism().service_scores(Case(window))

    assert found["b"] > found["a"] + 1


def test_the_formula_is_the_published_one():
    assert prism(3.0, 1.0) == pytest.approx(4 - np.log(5))


def test_a_service_where_nothing_moved_scores_zero():
    assert prism(0.0, 0.0) == 0
