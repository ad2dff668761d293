"""Mutual and Feature Choice against TopK at the same number of active latents."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.signatures import patterns
from rootward.methods.signatures.adaptive_sae.method import AdaptiveSAE
from rootward.methods.signatures.adaptive_sae.model import (
    MutualChoice,
    UnderusedLatents,
    budgets,
    feature_choice,
    fitted_zipf,
    from_dead_start,
    mutual_choice,
    zipf,
)
from rootward.model.deadline import Deadline
from rootward.model.result import CaveatCode
from rootward.numerics.autoencoder import (
    Fitted,
    Shape,
    SilentLatents,
    TokenChoice,
    dead_share,
    fit,
    unexplained,
)
from rootward.testing import cases
from tests.methods.signatures.planted_features import (
    Mixture,
    correlation,
    likeness,
    uneven_mixture,
)

Told = Callable[[str], None]


@dataclass(frozen=True)
class _Score:
    unexplained: float
    dead: float
    likeness: float
    used: float
    follows: float
    """Correlation of the latents used with the directions that a token is made of."""


def _score(fitted: Fitted, data: Mixture) -> _Score:
    f = fitted.encoded(data.test)
    used = (f > 0).float().sum(dim=1)
    return _Score(
        unexplained(data.test, fitted.decoded(f)),
        dead_share(f),
        likeness(fitted.model.decode, data.directions),
        float(used.mean()),
        correlation(used, data.count),
    )


def _they_spend_latents_where_tokens_are_hard(
    data: Mixture, shape: Shape, seed: int, measured: Told
) -> None:
    """TopK may use six latents on every token; ours use five on average, where they serve."""
    topk = _score(fit(data.train, shape, TokenChoice(6), seed), data)
    mutual = _score(mutual_choice(data.train, shape, seed), data)
    feature = _score(feature_choice(data.train, shape, seed), data)
    for name, one in (("TopK", topk), ("Mutual", mutual), ("Feature", feature)):
        measured(
            f"seed {seed}, {name} of {shape.steps} steps: {one.unexplained:.3f} unexplained, "
            f"{one.used:.1f} latents a token, follows the true number {one.follows:.2f}"
        )
    for ours in (mutual, feature):
        assert ours.unexplained <= 0.65 * topk.unexplained
        assert 4.5 < ours.used < topk.used
        assert ours.follows >= 0.8
        # TopK follows a little: a token of fewer than six directions leaves latents at zero
        assert topk.follows < ours.follows - 0.5
        assert ours.likeness >= topk.likeness
    assert feature.dead == 0


def test_they_spend_latents_where_tokens_are_hard(measured):
    data = uneven_mixture(0, tokens=5000, held_out=1500)
    _they_spend_latents_where_tokens_are_hard(data, Shape(128, 5, 350, batch=256), 0, measured)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_they_spend_latents_where_tokens_are_hard_at_full_length(seed, measured):
    _they_spend_latents_where_tokens_are_hard(uneven_mixture(seed), Shape(128, 5), seed, measured)


def _the_law_revives_more_than_silence_does(data: Mixture, shape: Shape, measured: Told) -> None:
    def ended(revival):
        return _score(from_dead_start(data.train, shape, TokenChoice(5), revival, 0), data)

    none, silent = ended(None), ended(SilentLatents())
    law = ended(UnderusedLatents(5, shape.latents))
    measured(
        f"half of the latents begun dead: {law.dead:.1%} stay so with aux_zipf, {silent.dead:.1%} "
        f"with aux_k, {none.dead:.0%} without"
    )
    assert none.dead > 0.4
    assert law.dead <= 0.05
    assert law.dead < silent.dead
    assert law.unexplained <= silent.unexplained + 0.02


@pytest.mark.slow
def test_the_law_revives_more_latents_than_silence_does(measured):
    _the_law_revives_more_than_silence_does(uneven_mixture(0), Shape(128, 5), measured)


def test_without_raw_affinities_nothing_would_be_revived():
    """The pull on underused latents brings back most of a dead half early on."""
    data = uneven_mixture(0, tokens=3000, held_out=1000)
    shape = Shape(128, 5, 400, batch=256)
    none = from_dead_start(data.train, shape, MutualChoice(5, 128), None, 0)
    law = from_dead_start(data.train, shape, MutualChoice(5, 128), UnderusedLatents(5, 128), 0)
    dead = [dead_share(found.encoded(data.test)) for found in (none, law)]
    assert dead[0] > 0.35
    assert dead[1] < dead[0] - 0.1


def test_directions_stay_on_the_unit_sphere():
    data = uneven_mixture(1, tokens=500, held_out=10)
    found = mutual_choice(data.train, Shape(32, 4, 20), 0)
    assert torch.allclose(found.model.decode.norm(dim=1), torch.ones(32), atol=1e-5)


def test_the_law_falls_with_the_rank_and_is_found_again():
    shares = zipf(200, 1.2, 4.0)
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-5)
    assert torch.all(shares.diff() < 0)
    exponent, shift = fitted_zipf(shares * 5)
    assert exponent == pytest.approx(1.2, abs=0.1)
    assert shift == pytest.approx(4.0, abs=1.0)


def test_budgets_give_all_that_there_is_and_no_latent_nothing():
    given = budgets(zipf(20, 2.0, 0.0), total=300, tokens=50)
    assert int(given.max()) == 50
    assert int(given.min()) >= 1
    assert abs(int(given.sum()) - 300) <= 20


QUICK = {"steps": 120}


def test_a_step_in_a_few_series_is_told_as_a_pattern_of_theirs():
    planted = cases.shop(seed=1)
    result = AdaptiveSAE(**QUICK).run(planted.case(seed=2))
    assert "above the usual" in result.answer
    assert "catalog-db|latency_p95_seconds" in result.answer
    assert "not seen before" in result.answer
    table, fires, where, pace = result.blocks
    assert table.kind == "table"
    assert fires.kind == pace.kind == "lines"
    assert where.kind == "heatmap"
    onset = planted.window.onset_unix
    assert onset is not None
    line = fires.lines[0].values
    before = [v for t, v in zip(fires.times, line, strict=True) if t < onset and v is not None]
    after = [v for t, v in zip(fires.times, line, strict=True) if t >= onset and v is not None]
    assert np.mean(after) > 5 * np.mean(before)


def test_a_quiet_system_has_no_pattern_of_its_incident():
    result = AdaptiveSAE(**QUICK).run(cases.no_fault(seed=3).case())
    assert "No pattern belongs to this incident" in result.answer


def test_the_words_of_a_pattern_follow_its_values():
    told = patterns.in_words
    assert told(np.array([0.0, 0.1, 3.0, 6.0])) == "rises from 0 to 6 deviations"
    assert told(np.array([6.0, 3.0, 0.0])) == "falls from 6 to 0 deviations"
    assert told(np.array([5.0, 5.1, 5.0])) == "stays 5 deviations above the usual"
    assert told(np.array([0.0, 8.0, 0.2])) == "spikes to 8 deviations and returns"
    assert told(np.array([0.1, 0.2, 0.1])) == "moves within the usual"


def test_latents_that_fire_at_the_same_places_are_one_pattern():
    f = np.array([[1.0, 2.0, 0.0], [2.0, 4.1, 0.0], [0.0, 0.0, 3.0]])
    assert patterns.together(f, [0, 1, 2]) == [[0, 1], [2]]


def test_bouts_are_separate_times_of_two_rows_and_more():
    assert patterns.bouts(np.array([1, 1, 0, 1, 0, 0, 1, 1, 1], dtype=bool)) == 2


def test_an_early_end_makes_a_weak_answer():
    case = replace(cases.shop(seed=1).case(), deadline=Deadline.after(0.0))
    result = AdaptiveSAE().run(case)
    assert result.status == "weak"
    assert CaveatCode.DEADLINE in {c.code for c in result.caveats}


def test_too_few_rows_are_said():
    window = cases.shop(seed=1).window
    short = cases.Planted(window.rows(250, 304), frozenset(), symptom=0)
    with pytest.raises(InsufficientData, match="rows before the onset"):
        AdaptiveSAE().run(short.case())
