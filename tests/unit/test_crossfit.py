"""No row is judged by a fit that saw it, and groups stay together."""

import numpy as np
import pytest

from rootward.numerics.crossfit import folds, mean_with_interval, out_of_fold


def _memory(x, y):
    known = {float(a): float(b) for a, b in zip(x[:, 0], y, strict=True)}
    return lambda asked: np.array([known.get(float(a), 0.0) for a in asked[:, 0]])


def test_a_learner_that_only_remembers_knows_nothing_of_a_row_held_out():
    x, y = np.arange(50.0)[:, None], np.ones(50)
    fold = folds(50, 5, np.random.default_rng(0))
    assert np.bincount(fold).tolist() == [10] * 5
    assert np.all(out_of_fold(_memory, x, y, fold) == 0)


def test_a_group_has_one_fold():
    groups = np.repeat(np.arange(12), 5)
    fold = folds(60, 3, np.random.default_rng(1), groups)
    assert all(len(set(fold[groups == g].tolist())) == 1 for g in range(12))


def test_the_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = [
        (lo <= 0 <= hi) for _, _, lo, hi in map(mean_with_interval, rng.standard_normal((500, 80)))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_rows_that_repeat_each_other_do_not_narrow_the_interval():
    rng = np.random.default_rng(3)
    drawn = rng.standard_normal(100)
    groups = np.repeat(np.arange(100), 20)
    alone, together = (
        mean_with_interval(v, groups=g)[1]
        for v, g in ((drawn, None), (np.repeat(drawn, 20), groups))
    )
    assert together == pytest.approx(alone, rel=0.01)
