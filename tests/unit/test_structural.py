"""Linear equations hold, and an intervention reaches effects alone."""

import numpy as np
import pytest

from rootward.errors import InvalidInput
from rootward.numerics.acyclicity import acyclic, log_det_penalty
from rootward.numerics.structural import LinearEquations, random_equations

CHAIN = LinearEquations(
    np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.5], [0.0, 0.0, 0.0]]), np.ones(3), np.array([1.0, 0, 0])
)


def test_rows_obey_the_equations():
    x = CHAIN.sample(20000, np.random.default_rng(0))
    left = x - x @ CHAIN.weights - CHAIN.level
    assert left.std(axis=0) == pytest.approx(np.ones(3), rel=0.02)
    assert np.abs(np.corrcoef(left.T) - np.eye(3)).max() < 0.03
    assert x.mean(axis=0) == pytest.approx([1.0, 2.0, 1.0], abs=0.06)


def test_an_intervention_cuts_what_comes_from_above():
    x = CHAIN.sample(20000, np.random.default_rng(0), do={1: 3.0})
    assert np.all(x[:, 1] == 3.0)
    assert x[:, 2].mean() == pytest.approx(1.5, abs=0.05)
    assert x[:, 0].mean() == pytest.approx(1.0, abs=0.05)


def test_a_cycle_is_refused():
    with pytest.raises(InvalidInput, match="acyclic"):
        LinearEquations(np.array([[0.0, 1.0], [1.0, 0.0]]), np.ones(2))


def test_random_equations_have_about_the_edges_asked_for():
    rng = np.random.default_rng(1)
    made = [
        random_equations(20, 40.0, rng, weights=(0.5, 2.0), noise_variance=(1.0, 1.0))
        for _ in range(20)
    ]
    assert np.mean([m.edges.sum() for m in made]) == pytest.approx(40, rel=0.1)
    assert any(np.tril(m.edges).any() for m in made)


def test_the_penalty_is_0_without_a_cycle_and_its_gradient_is_that_of_its_value():
    assert log_det_penalty(CHAIN.weights, 1.0)[0] == pytest.approx(0.0, abs=1e-12)
    w = 0.3 * np.random.default_rng(2).standard_normal((4, 4))
    value, gradient, inside = log_det_penalty(w, 1.0)
    assert inside
    assert value > 0
    step = np.zeros_like(w)
    step[1, 2] = 1e-6
    slope = (log_det_penalty(w + step, 1.0)[0] - log_det_penalty(w - step, 1.0)[0]) / 2e-6
    assert gradient[1, 2] == pytest.approx(slope, rel=1e-5)


def test_outside_of_its_domain_the_penalty_says_so():
    assert not log_det_penalty(np.array([[0.0, 2.0], [2.0, 0.0]]), 1.0)[2]


def test_the_smallest_edge_of_a_cycle_goes():
    w = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.9], [0.4, 0.0, 0.0]])
    assert np.array_equal(acyclic(w, 0.3), np.where(w == 0.4, 0.0, w))
