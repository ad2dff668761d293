import numpy as np
import pytest

from rootward.numerics.regression import (
    block_losses,
    false_discovery_control,
    innovations,
    lagged_design,
    ridge,
    rows_since_gap,
)


def test_a_gap_starts_the_count_anew():
    times = np.array([0.0, 5.0, 10.0, 30.0, 35.0])
    assert rows_since_gap(times, 5.0).tolist() == [0, 1, 2, 0, 1]


def test_the_design_holds_only_rows_with_an_uninterrupted_past():
    values = np.arange(10.0).reshape(5, 2)
    past, present = lagged_design(values, np.array([0, 1, 2, 0, 1]), 2)
    assert present.tolist() == [[4.0, 5.0]]
    assert past.tolist() == [[[2.0, 0.0], [3.0, 1.0]]]


def test_a_block_loss_is_what_refitting_without_the_block_costs():
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal((80, 6)), rng.standard_normal((6, 2))
    y = x @ weights + rng.standard_normal((80, 2))
    fit = ridge(x, y)

    def loss(z: np.ndarray) -> np.ndarray:
        b = np.linalg.solve(z.T @ z + fit.penalty * np.eye(z.shape[1]), z.T @ y)
        return np.sum((y - z @ b) ** 2, axis=0) + fit.penalty * np.sum(b**2, axis=0)

    expected = [loss(np.delete(x, [2 * k, 2 * k + 1], axis=1)) - loss(x) for k in range(3)]
    assert block_losses(fit.weights, fit.inverse, 3) == pytest.approx(np.array(expected))


def test_noise_is_shrunk_more_than_signal():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 30))
    noisy = ridge(x, rng.standard_normal((60, 1)))
    clear = ridge(x, x[:, :1] * 3 + 0.01 * rng.standard_normal((60, 1)))
    assert noisy.penalty > 100 * clear.penalty
    assert clear.weights[0, 0] == pytest.approx(3, rel=0.01)


def test_innovations_forget_their_own_past():
    rng = np.random.default_rng(2)
    x = np.zeros((500, 1))
    for t in range(1, 500):
        x[t] = 0.9 * x[t - 1] + rng.standard_normal(1)
    past, present = lagged_design(x, np.arange(500), 2)
    left = innovations(past, present)
    assert abs(np.corrcoef(left[1:, 0], left[:-1, 0])[0, 1]) < 0.1
    assert left.std() == pytest.approx(1.0, abs=0.1)


def test_false_discoveries_stay_below_the_rate():
    rng = np.random.default_rng(3)
    false = []
    for _ in range(200):
        p = rng.uniform(size=100)
        p[:10] = 1e-6
        chosen = false_discovery_control(p, 0.2)
        assert chosen[:10].all()
        false.append(chosen[10:].sum() / chosen.sum())
    assert np.mean(false) < 0.22
    assert not false_discovery_control(np.empty(0), 0.1).size
