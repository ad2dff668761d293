"""The robust z-score is not moved by an earlier fault in the baseline."""

import numpy as np
import pytest

from rootward.methods.ranking.robust_z import RobustZ
from rootward.numerics.scores import n_sigma, robust_z
from rootward.testing import cases


def test_a_large_fault_ranks_its_series_first():
    planted = cases.shop(service="payment", fault="latency", size=40.0)

    scores = RobustZ().scores(planted.case())

    assert planted.window.series[int(scores.argmax())] == planted.cause


def test_an_earlier_fault_hardly_matters():
    rng = np.random.default_rng(0)
    before, after = rng.normal(size=(200, 1)), np.full((5, 1), 8.0)
    faulty = before.copy()
    faulty[50:60] = 100.0

    assert robust_z(faulty, after)[0] == pytest.approx(robust_z(before, after)[0], rel=0.2)
    assert n_sigma(faulty, after)[0] < 0.5 * n_sigma(before, after)[0]


def test_a_series_that_was_constant_before_still_counts():
    before, after = np.zeros((50, 2)), np.array([[0.0, 3.0]])

    scores = robust_z(before, after)

    assert scores[1] > 1e6
    assert scores[0] == 0
