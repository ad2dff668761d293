"""The effect of a path behind a flag that is not harmless itself, with hidden causes of both."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.effects.invalid_instrument.estimate import (
    Effect,
    adjusted,
    invalid_instrument,
    two_stage,
)
from rootward.methods.effects.invalid_instrument.method import InvalidInstrument
from rootward.model.case import Case
from rootward.model.experiment import Experiment
from rootward.model.result import CaveatCode
from rootward.testing import cases

Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _rollout(seed: int, units: int = 4000, *, effect: float = 1.0, direct: float = 0.8) -> Columns:
    """Flag, exposure, outcome, covariates: a hidden load drives exposure and outcome."""
    rng = np.random.default_rng(seed)
    x, hidden = rng.uniform(-1, 1, (units, 3)), np.tanh(rng.standard_normal(units))
    flag = (rng.random(units) < expit(0.3 * x[:, 0] - 0.2 * x[:, 1])).astype(float)
    chance = 0.22 + 0.28 * flag * (1 + 0.3 * x[:, 0]) + 0.05 * x[:, 1] + 0.15 * hidden
    taken = (rng.random(units) < chance).astype(float)
    outcome = (effect + 0.5 * x[:, 0]) * taken + direct * flag * (1 + 0.5 * x[:, 2])
    outcome += x[:, 1] + 0.7 * x[:, 2] + 1.5 * hidden + 0.5 * rng.standard_normal(units)
    return flag, taken, outcome, x


def _estimated(seed: int, columns: Columns) -> Effect:
    return invalid_instrument(*columns, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("runs", "off"), [(8, 0.2), pytest.param(20, 0.12, marks=pytest.mark.slow)]
)
def test_the_effect_is_found_where_two_stage_least_squares_and_regression_are_wrong(
    runs, off, measured
):
    drawn = [_rollout(seed) for seed in range(runs)]
    found = [_estimated(seed, columns) for seed, columns in enumerate(drawn)]
    ours = [f.exposure.value for f in found]
    held = sum(f.exposure.low <= 1 <= f.exposure.high for f in found)
    by_stages = np.mean([two_stage(*columns).value for columns in drawn])
    by_regression = np.mean([adjusted(a, y, x).value for _, a, y, x in drawn])
    measured(
        f"{runs} rollouts: {np.mean(ours):.2f} on average (deviation {np.std(ours):.2f}), the "
        f"interval holds the truth in {held}; two-stage least squares {by_stages:.2f}, regression "
        f"{by_regression:.2f}"
    )
    assert abs(np.mean(ours) - 1) <= off
    assert held >= 0.85 * runs
    assert by_stages >= 2
    assert by_regression >= 1.3
    assert np.mean([f.flag for f in found]) == pytest.approx(0.8, abs=0.1)


def test_a_path_that_does_nothing_is_not_blamed_for_its_flag():
    found = [_estimated(s, _rollout(s, 1500, effect=0.0)) for s in range(8)]
    claims = sum(not f.exposure.low <= 0 <= f.exposure.high for f in found)
    assert claims <= 2
    assert all(two_stage(*_rollout(s, 1500, effect=0.0)).low > 0 for s in range(8))


def test_covariates_that_act_together_do_not_mislead_it():
    rng = np.random.default_rng(1)
    flag, taken, outcome, x = _rollout(1, 6000)
    bent = outcome + 2 * x[:, 1] * x[:, 2] + 3 * x[:, 0] ** 2
    found = invalid_instrument(flag, taken, bent, x, rng)
    assert found.exposure.low <= 1 <= found.exposure.high
    assert found.exposure.error < 0.3


def test_a_flag_that_leaves_the_spread_of_the_exposure_alone_is_weak():
    rng = np.random.default_rng(2)
    flag = (rng.random(3000) < 0.5).astype(float)
    taken = (rng.random(3000) < np.where(flag == 1, 0.7, 0.3)).astype(float)
    outcome = taken + 0.5 * rng.standard_normal(3000)
    found = invalid_instrument(flag, taken, outcome, rng.standard_normal((3000, 1)), rng)
    assert found.first_stage == pytest.approx(0.4, abs=0.05)
    assert abs(found.strength) < 5


def test_units_that_repeat_each_other_widen_the_interval():
    columns = _rollout(3, 1500)
    many = [np.repeat(column, 4, axis=0) for column in columns]
    groups = np.repeat(np.arange(1500), 4)
    rng = np.random.default_rng(3)
    blind = invalid_instrument(*many, rng)
    aware = invalid_instrument(*many, rng, groups=groups)
    assert aware.exposure.error > 1.6 * blind.exposure.error


@pytest.mark.slow
def test_ten_times_the_units_narrow_the_interval_to_a_third():
    few, many = _estimated(4, _rollout(4)), _estimated(4, _rollout(4, 40_000))
    assert many.exposure.value == pytest.approx(1, abs=0.2)
    assert 0.2 < many.exposure.error / few.exposure.error < 0.5


def _experiment(columns: Columns) -> Experiment:
    return Experiment(
        "fast-cart", *columns[:3], "latency_seconds", columns[3], ("cpu", "load", "size")
    )


def _case(experiment: Experiment | None) -> Case:
    return replace(cases.no_fault().case(), experiment=experiment)


def test_the_answer_says_the_effect_its_interval_and_what_the_flag_does():
    result = InvalidInstrument().run(_case(_experiment(_rollout(0))))
    assert result.found
    assert "Taking the new path of fast-cart raises latency_seconds by" in result.answer
    assert "95 % interval" in result.answer
    assert "the flag by itself adds" in result.answer
    assert result.headline is not None
    assert result.baseline is not None
    assert abs(result.headline.value - 1) < abs(result.baseline.value - 1)


def test_a_weak_flag_is_said():
    columns = _rollout(5, 700)
    result = InvalidInstrument().run(_case(_experiment(columns)))
    assert result.status == "weak"
    assert result.caveats[0].code is CaveatCode.WEAK_INSTRUMENT


def test_out_of_time_the_simplest_learner_answers():
    flag, taken, outcome, x = _rollout(6)
    rng = np.random.default_rng(6)
    found = invalid_instrument(flag, taken, outcome, x, rng, go_on=lambda share: False)
    assert not found.complete
    assert set(found.learners) == {"lines"}


def test_too_little_to_compare_is_said():
    flag, taken, outcome, x = _rollout(7, 400)
    with pytest.raises(InsufficientData, match="needs the records of a rollout"):
        InvalidInstrument().run(_case(None))
    with pytest.raises(InsufficientData, match="needs 200 units, got 150"):
        InvalidInstrument().run(
            _case(_experiment((flag[:150], taken[:150], outcome[:150], x[:150])))
        )
    with pytest.raises(InsufficientData, match="took it"):
        InvalidInstrument().run(_case(_experiment((flag, 0 * taken, outcome, x))))
    with pytest.raises(InsufficientData, match="0 or 1"):
        InvalidInstrument().run(_case(_experiment((flag, taken / 2, outcome, x))))
    with pytest.raises(InvalidParameters, match="folds"):
        InvalidInstrument(folds=1)
