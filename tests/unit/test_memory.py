"""A series with a memory has fewer independent samples than rows."""

import numpy as np
import pytest

from rootward.numerics.independence import correlation_p, correlations
from rootward.numerics.memory import autocorrelations, pair_shares, whitened


def remembering(rows: int, series: int, own: float, seed: int) -> np.ndarray:
    e = np.random.default_rng(seed).standard_normal((rows + 100, series))
    x = np.zeros_like(e)
    for t in range(1, len(e)):
        x[t] = own * x[t - 1] + e[t]
    return x[100:]


def _false_alarms(own: float, *, corrected: bool) -> float:
    """Share of 600 series of noise that a test against a step calls changed at 0.05."""
    x = remembering(300, 600, own, seed=1)
    step = (np.arange(300) >= 150).astype(float)
    r = correlations(np.column_stack((step, x)))[0, 1:]
    samples = 300 * (whitened(x).effective_share if corrected else np.ones(600))
    return float(np.mean(correlation_p(r, samples, 0) < 0.05))


def test_effective_samples_keep_a_test_against_time_at_its_level():
    assert _false_alarms(0.8, corrected=False) > 0.35
    assert _false_alarms(0.8, corrected=True) < 0.1
    assert _false_alarms(0.0, corrected=True) == pytest.approx(0.05, abs=0.025)


def test_the_effective_share_of_one_lag_is_the_known_formula():
    share = whitened(remembering(4000, 20, 0.8, seed=2)).effective_share
    assert share.mean() == pytest.approx(0.2 / 1.8, rel=0.15)


def test_whitening_takes_the_memory_and_leaves_the_noise():
    x = remembering(2000, 5, 0.8, seed=3)
    left = whitened(x).innovations
    assert np.abs(autocorrelations(left, np.isfinite(left), 5)).max() == 0.0
    assert left.std(axis=0) == pytest.approx(np.ones(5), rel=0.1)


def test_white_noise_is_left_alone():
    x = np.random.default_rng(4).standard_normal((500, 30))
    assert whitened(x).effective_share.mean() > 0.95


def test_no_sample_reaches_over_a_gap():
    since = np.concatenate((np.arange(100), np.arange(100)))
    assert set(range(100, 105)).isdisjoint(whitened(remembering(200, 2, 0.5, 5), since).rows)


def test_two_series_with_a_memory_seem_related_less_often_with_the_pair_share():
    x = remembering(300, 40, 0.8, seed=6)
    share = pair_shares(autocorrelations(x, np.isfinite(x), 50))
    pairs = np.triu_indices(40, 1)
    r = correlations(x)[pairs]
    naive = np.mean(correlation_p(r, 300, 0) < 0.05)
    corrected = np.mean(correlation_p(r, 300 * share[pairs], 0) < 0.05)
    assert naive > 0.25
    assert corrected < 0.1
