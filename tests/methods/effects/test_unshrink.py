"""Un-shrinking: the planted effect comes back, and nothing is made up where nothing shrank."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidInput, InvalidParameters
from rootward.methods.effects.unshrink import (
    Unshrink,
    contrast,
    effects,
    linear_calibration,
    tried,
    tweedie,
)
from rootward.model.case import Case
from rootward.model.experiment import Calibration, Experiment
from rootward.model.result import CaveatCode
from rootward.testing import cases

EFFECT = 0.5


def _scores(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """The best prediction of the truth from a view of it with as much noise as truth."""
    return 0.5 * (truth + rng.standard_normal(len(truth)))


def _pairs(rng: np.random.Generator, count: int = 1000) -> Calibration:
    true = rng.standard_normal(count)
    return Calibration(_scores(rng, true), true)


def _trial(rng: np.random.Generator, units: int = 4000, effect: float = EFFECT):
    treated = rng.random(units) < 0.5
    return _scores(rng, rng.standard_normal(units) + effect * treated), treated


def _experiment(seed: int, *, units: int = 4000, effect: float = EFFECT, pairs: int = 1000):
    rng = np.random.default_rng(seed)
    calibration = _pairs(rng, pairs)
    scores, treated = _trial(rng, units, effect)
    flag = treated.astype(float)
    known = np.empty((units, 0))
    return Experiment("canary", flag, flag, scores, "severity", known, calibration=calibration)


def _case(experiment: Experiment | None) -> Case:
    return Case(cases.noise(rows=60).window, experiment=experiment)


def test_acceptance_thirty_runs_find_the_planted_effect_and_the_raw_prediction_half_of_it(
    measured,
):
    found = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        pairs = _pairs(rng)
        scores, treated = _trial(rng)
        ways = [way(pairs.predicted, pairs.true) for way in (linear_calibration, tweedie)]
        found.append([contrast(scores, treated), *(contrast(way(scores), treated) for way in ways)])
    plain, linear, by_density = np.mean(found, axis=0)
    measured(
        f"planted effect {EFFECT}: {plain:.2f} as predicted, {linear:.2f} by linear calibration, "
        f"{by_density:.2f} by Tweedie's correction"
    )
    assert plain < 0.3
    assert linear == pytest.approx(EFFECT, abs=0.05)
    assert by_density == pytest.approx(EFFECT, abs=0.05)


def test_tweedie_holds_where_the_shrinking_is_not_a_line():
    # many mild incidents and few severe ones: among the severe ones hardly anything shrinks
    rng = np.random.default_rng(3)
    predicted = rng.exponential(1.0, 4000)
    true = predicted + 0.7 * rng.standard_normal(4000)
    severe = true > 3
    chosen = severe | ((true > 1.5) & (true < 2.5))
    actual = contrast(true[chosen], severe[chosen])

    def missed(way) -> float:
        scores = way(predicted, true)(predicted)
        return abs(contrast(scores[chosen], severe[chosen]) - actual)

    assert missed(tweedie) < 0.5 * missed(linear_calibration)


def test_intervals_hold_the_effect_and_zero_where_there_is_none():
    rng = np.random.default_rng(1)
    pairs = _pairs(rng, 500)
    for effect in (EFFECT, 0.0):
        scores, treated = _trial(rng, effect=effect)
        found = effects(pairs, scores, treated, rng, resamples=60)
        assert found["linear calibration"].low < effect < found["linear calibration"].high
        assert found["tweedie"].low < effect < found["tweedie"].high
    assert found["tweedie"].high - found["tweedie"].low < 0.4


def test_units_of_a_cluster_are_drawn_together():
    rng = np.random.default_rng(2)
    pairs, (scores, _) = _pairs(rng, 300), _trial(rng, 400, 0.0)
    service = np.arange(400) % 10
    shifted = scores + 0.5 * rng.standard_normal(10)[service]
    names = [str(s) for s in service]
    found = [
        effects(pairs, shifted, service < 5, rng, clusters=clusters, resamples=40)["tweedie"]
        for clusters in (names, ())
    ]
    assert found[0].high - found[0].low > 1.5 * (found[1].high - found[1].low)


def test_trials_on_the_pairs_see_the_shrinking_and_a_prediction_that_does_not_shrink():
    rng = np.random.default_rng(4)
    found = tried(_pairs(rng), rng)
    assert found["as predicted"].slope < 0.6
    assert found["linear calibration"].slope == pytest.approx(1, abs=0.1)
    assert found["tweedie"].slope == pytest.approx(1, abs=0.15)
    true = rng.standard_normal(1000)
    exact = tried(Calibration(true + 1e-3 * rng.standard_normal(1000), true), rng)
    assert max(trial.error for trial in exact.values()) < 0.02


def test_the_answer_gives_both_numbers_and_advises_a_correction():
    result = Unshrink(resamples=50).run(_case(_experiment(0)))
    assert result.headline.value == pytest.approx(EFFECT, abs=0.1)
    assert result.baseline.value < 0.3
    assert "canary changed severity by 0.5" in result.answer
    assert "as predicted it would be 0.2" in result.answer


def test_few_pairs_and_scores_beyond_them_are_a_caveat():
    experiment = _experiment(1, pairs=60)
    codes = {c.code for c in Unshrink(resamples=20).run(_case(experiment)).caveats}
    assert codes >= {CaveatCode.FEW_EXAMPLES, CaveatCode.EXTRAPOLATION}


def test_what_is_missing_is_said():
    experiment = _experiment(2)
    with pytest.raises(InsufficientData, match="needs an experiment"):
        Unshrink().run(_case(None))
    with pytest.raises(InsufficientData, match="nothing to un-shrink"):
        Unshrink().run(_case(replace(experiment, calibration=None)))
    with pytest.raises(InsufficientData, match="needs 20 calibration pairs"):
        Unshrink().run(_case(_experiment(2, pairs=10)))
    pairs = experiment.calibration
    with pytest.raises(InsufficientData, match="do not rise with the truth"):
        linear_calibration(-pairs.predicted, pairs.true)
    with pytest.raises(InvalidParameters, match="resamples"):
        Unshrink(resamples=1)
    with pytest.raises(InvalidInput, match="not finite"):
        Calibration(np.zeros(2), np.array([0.0, np.nan]))
