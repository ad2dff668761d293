"""Kernel tests see what a correlation cannot, and keep their level."""

import numpy as np
import pytest

from rootward.numerics.kernels import gaussian_gram, hsic_p, kernel_p, normalised_hsic

NOTHING = np.empty((150, 0))


def _noise(seed: int, columns: int, rows: int = 150) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((columns, rows, 1))


def test_a_square_is_seen_where_no_correlation_is():
    x, e = _noise(0, 2)
    y = x**2 + 0.5 * e
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.2
    assert kernel_p(x, y, NOTHING) < 1e-4


def test_a_common_cause_held_fixed_explains_its_effects():
    z, u, v = _noise(1, 3)
    x, y = np.tanh(z) + 0.5 * u, z + 0.5 * v
    assert kernel_p(x, y, NOTHING) < 1e-6
    assert kernel_p(x, y, z) > 0.05
    assert kernel_p(x, y + 0.7 * x, z) < 0.01


@pytest.mark.parametrize("conditions", [0, 1])
def test_noise_is_called_dependent_as_often_as_the_level_says(conditions):
    p = []
    for seed in range(60):
        x, y, z = _noise(seed, 3, rows=100)
        p.append(kernel_p(x, y, z[:, :conditions]))
    assert np.mean(np.array(p) < 0.05) <= 0.12


def test_permutations_tell_dependence_from_chance():
    x, e = _noise(3, 2, rows=60)
    a, b, c = (gaussian_gram(v) for v in (x, np.abs(x) + 0.3 * e, e))
    rng = np.random.default_rng(0)
    assert hsic_p(a, b, rng) < 0.02
    assert hsic_p(a, c, rng) > 0.05
    assert normalised_hsic(a, a) == pytest.approx(1.0)
    assert normalised_hsic(a, b) > 2 * normalised_hsic(a, c)
