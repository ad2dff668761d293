"""Granger with PageRank gathers at the head of what follows in time."""

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.ranking.granger_page_rank import GrangerPageRank
from rootward.numerics.independence import pairwise_granger
from rootward.numerics.regression import lagged_design
from rootward.testing import cases


def test_rank_gathers_at_the_head_of_a_chain():
    case = cases.chain(rows=600, seed=1, fault=0.5).case()
    found = GrangerPageRank(significance=1e-6).service_scores(case)
    assert max(found, key=lambda s: found[s]) == "x0"
    assert found["x0"] > found["x3"]


def test_series_that_share_nothing_tie():
    planted = cases.noise(rows=400, seed=3)
    case = cases.Planted(planted.window.with_onset(350), planted.edges).case()
    assert len(set(GrangerPageRank(significance=1e-6).scores(case))) == 1


def test_pairs_are_told_by_direction_and_fooled_by_a_common_cause():
    planted = cases.common_cause(rows=800, seed=1)
    design = lagged_design(planted.window.values, np.arange(800), 3)
    strength, p = pairwise_granger(*design)
    z, x, y = 0, 1, 2
    assert p[z, x] < 1e-6 < p[x, z]
    assert p[x, y] < 1e-6  # x moves before y, because z drives both
    assert strength[z, y] > strength[x, y]


def test_p_values_of_unrelated_series_with_memory_are_near_uniform():
    windows = [cases.noise(400, seed, series=6, own=0.7).window for seed in range(10)]
    p = [pairwise_granger(*lagged_design(w.values, np.arange(400), 2))[1] for w in windows]
    pairs = np.array(p)[:, ~np.eye(6, dtype=bool)]
    assert np.mean(pairs < 0.05) == pytest.approx(0.05, abs=0.03)


def test_an_equal_series_adds_nothing_to_the_forecast_of_its_double():
    x = cases.noise(300, 1, series=2).window.values[:, [0, 0, 1]]
    strength, p = pairwise_granger(*lagged_design(x, np.arange(300), 2))
    assert strength[0, 1] < 1e-6
    assert p[0, 1] > 0.5


def test_few_rows_and_wrong_parameters_are_said():
    with pytest.raises(InsufficientData, match="needs 30 baseline rows"):
        GrangerPageRank().scores(cases.chain(rows=24, fault=5.0).case())
    with pytest.raises(InvalidParameters, match="max_lag"):
        GrangerPageRank(max_lag=0)
