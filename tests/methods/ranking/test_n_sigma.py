"""N-sigma finds a plain shift, and has the weaknesses that it is known for."""

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.ranking.n_sigma import NSigma
from rootward.numerics.scores import n_sigma
from rootward.testing import cases


def test_a_large_fault_ranks_its_series_first():
    planted = cases.shop(service="payment", fault="latency", size=40.0)

    scores = NSigma().scores(planted.case())

    assert planted.window.series[int(scores.argmax())] == planted.cause


def test_the_score_is_the_peak_in_standard_deviations():
    before = np.array([[0.0], [2.0], [0.0], [2.0]])

    assert n_sigma(before, np.array([[1.0], [6.0]]))[0] == pytest.approx(5.0)


def test_a_series_that_was_constant_is_left_out():
    assert n_sigma(np.ones((5, 1)), np.full((2, 1), 9.0))[0] == 0


def test_an_unknown_onset_is_too_little():
    case = cases.shop().case()
    with pytest.raises(InsufficientData, match="onset"):
        NSigma().scores(type(case)(case.window.with_onset(None)))
