"""BARO as published: robust, one-sided, blind to what was constant."""

import numpy as np
import pytest

from rootward.methods.ranking.baro import Baro
from rootward.numerics.scores import baro
from rootward.testing import cases


def test_a_large_rise_ranks_its_series_first():
    planted = cases.shop(service="payment", fault="latency", size=40.0)

    scores = Baro().scores(planted.case())

    assert planted.window.series[int(scores.argmax())] == planted.cause


def test_the_score_is_the_rise_in_interquartile_ranges():
    before = np.arange(5.0)[:, None]

    assert baro(before, np.array([[8.0]]))[0] == pytest.approx(3.0)


def test_a_fall_does_not_count():
    assert baro(np.arange(5.0)[:, None], np.array([[-50.0]]))[0] == 0


def test_a_series_that_was_constant_is_dropped():
    assert baro(np.ones((5, 1)), np.full((2, 1), 9.0))[0] == 0
