"""CoLiDE finds a linear graph under unequal noise, and the equation that broke."""

from functools import cache

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.discovery.colide.fit import FAST, Noise, Schedule, colide
from rootward.methods.discovery.colide.method import CoLiDE
from rootward.model.case import Case
from rootward.numerics.skeleton import hamming_distance
from rootward.numerics.structural import LinearEquations, random_equations
from rootward.testing import cases

QUICK = Schedule(5e-3, 500, 2500, 250)


@cache
def _distance(noise: Noise, lowest: float, highest: float) -> tuple[float, float]:
    """Mean structural Hamming distance on 20 variables with 40 edges, and error of the noise."""
    distances, errors = [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth = random_equations(
            20, 40.0, rng, weights=(0.5, 2.0), noise_variance=(lowest, highest)
        )
        found = colide(truth.sample(1000, rng), noise=noise, schedule=FAST)
        distances.append(hamming_distance(found.weights != 0, truth.edges))
        errors.append(np.mean(np.abs(found.noise - truth.noise) / truth.noise))
    return float(np.mean(distances)), float(np.mean(errors))


@pytest.mark.slow
def test_unequal_noise_is_borne_and_estimated(measured):
    distance, error = _distance("unequal", 0.5, 10.0)
    measured(f"unequal noise: {distance:.1f} edges wrong, noise off by {error:.0%}")
    assert distance <= 10
    assert error <= 0.25


@pytest.mark.slow
def test_under_unequal_noise_it_is_no_worse_than_with_one_level(measured):
    one_level = _distance("equal", 0.5, 10.0)[0]
    measured(f"unequal noise, one level for all: {one_level:.1f} edges wrong")
    assert _distance("unequal", 0.5, 10.0)[0] <= one_level + 1


@pytest.mark.slow
def test_under_unequal_noise_least_squares_is_further_off(measured):
    least_squares = _distance("unit", 0.5, 10.0)[0]
    measured(f"unequal noise, least squares: {least_squares:.1f} edges wrong")
    assert _distance("unequal", 0.5, 10.0)[0] < least_squares


@pytest.mark.slow
def test_equal_noise_is_found_by_the_form_made_for_it(measured):
    found = {noise: _distance(noise, 1.0, 1.0)[0] for noise in ("unequal", "equal", "unit")}
    measured(
        f"equal noise: {found['unequal']:.1f} edges wrong, {found['equal']:.1f} with one level, "
        f"{found['unit']:.1f} by least squares"
    )
    assert found["equal"] <= 2


def test_a_small_graph_is_found_with_its_noise_and_without_retuning():
    truth = LinearEquations(
        np.array([[0, 1.5, 0, 0], [0, 0, -1.2, 0.9], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=float),
        np.array([1.0, 3.0, 1.0, 2.0]),
    )
    found = colide(truth.sample(4000, np.random.default_rng(0)), schedule=QUICK)
    assert np.array_equal(found.weights != 0, truth.edges)
    assert found.weights[truth.edges] == pytest.approx(truth.weights[truth.edges], abs=0.15)
    assert found.noise == pytest.approx(truth.noise, rel=0.05)


def test_a_common_cause_makes_no_edge_between_its_effects():
    truth = LinearEquations(
        np.array([[0, 1.0, 1.0], [0, 0, 0], [0, 0, 0]], dtype=float), np.array([1.0, 1.0, 4.0])
    )
    found = colide(truth.sample(2000, np.random.default_rng(1)), schedule=QUICK)
    assert not found.weights[1, 2]
    assert not found.weights[2, 1]


def test_earlier_rows_drive_and_are_not_driven():
    rng = np.random.default_rng(2)
    e = rng.standard_normal((1500, 2))
    x = np.zeros_like(e)
    for t in range(1, len(x)):
        x[t, 0] = 0.6 * x[t - 1, 0] + e[t, 0]
        x[t, 1] = 0.8 * x[t - 1, 0] + e[t, 1]
    found = colide(x[1:], x[:-1], schedule=QUICK)
    assert np.argwhere(found.past_weights).tolist() == [[0, 0], [0, 1]]
    assert not found.weights.any()


def test_a_victim_has_a_small_residual_and_the_culprit_a_large_one():
    truth = LinearEquations(
        np.array([[0, 1.5, 0], [0, 0, 1.2], [0, 0, 0]], dtype=float), np.ones(3)
    )
    rng = np.random.default_rng(3)
    found = colide(truth.sample(1000, rng), schedule=QUICK)
    broken = LinearEquations(truth.weights, truth.noise, np.array([0.0, 9.0, 0.0]))
    residuals = np.abs(found.residuals(broken.sample(200, rng))).mean(axis=0)
    assert int(residuals.argmax()) == 1
    assert residuals[[0, 2]].max() < 0.3 * residuals[1]


def test_out_of_time_it_gives_what_it_has():
    x = np.random.default_rng(4).standard_normal((100, 5))
    found = colide(x, schedule=QUICK, go_on=lambda share: False)
    assert not found.complete
    assert np.isfinite(found.noise).all()


def test_in_the_shop_the_broken_equation_is_that_of_the_fault():
    right, plainly_right = 0, 0
    for seed in range(2):
        planted = cases.shop(seed, fault="errors", service="payment")
        scores = CoLiDE(most_series=8).scores(planted.case())
        right += planted.window.series[int(scores.argmax())] == planted.cause
        after, before = planted.window.incident, planted.window.baseline
        moved = np.abs(after.mean(axis=0) - before.mean(axis=0)) / before.std(axis=0)
        plainly_right += planted.window.series[int(moved.argmax())] == planted.cause
    assert right == 2
    assert right >= plainly_right


def test_the_answer_names_the_series_and_how_far_it_strays():
    planted = cases.shop(1, fault="errors")
    result = CoLiDE(most_series=6).run(planted.case())
    assert f"{planted.cause} strays furthest" in result.answer
    assert result.headline is not None
    assert result.headline.value > 3


def test_without_an_onset_there_is_a_map_and_no_ranking():
    window = cases.shop(1, rows=200).window.with_onset(None)
    assert CoLiDE(most_series=6).discover(window, 0).edges
    with pytest.raises(InsufficientData, match="onset"):
        CoLiDE().run(Case(window))


def test_a_cause_far_outside_of_the_baseline_does_not_blame_who_stayed():
    truth = LinearEquations(np.array([[0, 0.8, 0], [0, 0, 0], [0, 0, 0]], dtype=float), np.ones(3))
    rng = np.random.default_rng(5)
    x = truth.sample(400, rng)
    x[300:, 0] += 100.0
    planted = cases.noise(400, series=3)
    window = planted.window
    case = Case(type(window)(window.series, window.times, x, window.step_seconds, 300))
    scores = CoLiDE().scores(case)
    assert scores[0] > 50
    assert scores[1:].max() < 5


def test_little_data_and_wrong_parameters_are_said():
    with pytest.raises(InsufficientData, match="rows before the onset"):
        CoLiDE().run(Case(cases.shop(1).window.rows(280, 340)))
    with pytest.raises(InvalidParameters, match="most_series"):
        CoLiDE(most_series=1)
