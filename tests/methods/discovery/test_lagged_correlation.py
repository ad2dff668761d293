import numpy as np

from rootward.methods.discovery.lagged_correlation import LaggedCorrelation, lagged_correlation
from rootward.numerics.regression import lagged_design
from rootward.testing import cases


def test_it_finds_a_pure_lag_with_its_sign():
    x = np.random.default_rng(0).standard_normal(300)
    values = np.column_stack((x, -np.roll(x, 2)))[2:]
    past, present = lagged_design(values, np.arange(298), 2)
    r = lagged_correlation(past, present)
    assert r[1, 0, 1] < -0.99
    assert abs(r[0, 0, 1]) < 0.2
    assert abs(r[0, 1, 0]) < 0.2


def test_it_draws_no_edge_in_noise():
    assert not LaggedCorrelation().discover(cases.noise(300, 1).window, 0).edges


def test_it_is_fooled_by_a_common_cause_as_its_docstring_says():
    planted = cases.common_cause(rows=400, seed=1)
    graph = LaggedCorrelation(threshold=0.4).discover(planted.window, 0)
    assert ("x", "y") in cases.named_edges(graph)
