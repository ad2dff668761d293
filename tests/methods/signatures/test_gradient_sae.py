"""Small directions that matter downstream: kept by the gradient's choice, cut off by TopK."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.signatures.gradient_sae.forecast import forecast_of
from rootward.methods.signatures.gradient_sae.method import GradientSAE
from rootward.methods.signatures.gradient_sae.model import gradient_sae, impacts, set_to
from rootward.methods.signatures.tokens import tokens_of
from rootward.model.case import Case
from rootward.model.result import CaveatCode
from rootward.numerics.autoencoder import Shape, unexplained
from rootward.numerics.downstream import gradients, loss_gradients, of_mean_norm_one
from rootward.testing import cases
from tests.methods.signatures.planted_features import Downstream, recovery, small_but_read

QUICK = {"steps": 150}


def _scores(data: Downstream, beta: float, shape: Shape, seed: int) -> tuple[float, float]:
    """Functional recovery and variance left unexplained."""
    slopes, at_test = gradients(data.head, data.train), gradients(data.head, data.test)
    fitted = gradient_sae(data.train, slopes, shape, seed, beta=beta)
    rebuilt = fitted.decoded(fitted.encoded(data.test, at_test / slopes.norm(dim=1).mean()))
    return recovery(data, rebuilt), unexplained(data.test, rebuilt)


def _it_serves_the_head(
    seed: int, betas: tuple[float, ...], shape: Shape, measured: Callable[[str], None]
) -> None:
    data = small_but_read(seed)
    found = [_scores(data, beta, shape, seed) for beta in betas]
    gains = [recovered for recovered, _ in found]
    for beta, (recovered, missed) in zip(betas, found, strict=True):
        measured(
            f"seed {seed}, {shape.steps} steps, beta {beta:g}{' (TopK)' if not beta else ''}: "
            f"served to {recovered:.3f}, {missed:.3f} unexplained"
        )
    assert gains[-1] >= gains[0] + 0.015
    assert found[-1][1] <= 1.08 * found[0][1]
    assert all(later >= earlier - 0.005 for earlier, later in pairwise(gains))


def test_rebuilt_vectors_serve_the_network_downstream_better_than_topk(measured):
    _it_serves_the_head(1, (0.0, 3.0), Shape(96, 4, 500), measured)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_gain_grows_with_the_weight_of_the_gradient(seed, measured):
    _it_serves_the_head(seed, (0.0, 0.5, 1.0, 3.0), Shape(96, 4, 1500), measured)


def test_without_weight_or_gradient_it_is_topk():
    data = small_but_read(0, tokens=600, held_out=100)
    slopes = gradients(data.head, data.train)
    fitted = gradient_sae(data.train, slopes, Shape(32, 4, 20), 0, beta=0.0)
    with_slopes = fitted.encoded(data.train, of_mean_norm_one(slopes))
    assert torch.equal(with_slopes, fitted.encoded(data.train))
    assert int((with_slopes > 0).sum(dim=1).max()) <= 4


def test_slopes_are_those_of_finite_differences():
    data = small_but_read(2, tokens=50, held_out=5)
    wanted = data.head(data.train) + 1.0
    slopes = loss_gradients(data.head, data.train, wanted)
    step = 1e-3 * torch.eye(32)[3]
    up = (data.head(data.train + step) - wanted) ** 2
    down = (data.head(data.train - step) - wanted) ** 2
    assert torch.allclose((up - down) / 2e-3, slopes[:, 3], rtol=0.05, atol=0.02)


def test_impacts_of_a_linear_head_are_what_setting_a_latent_to_zero_does():
    data = small_but_read(3, tokens=600, held_out=50)
    weights = torch.linspace(-1, 1, 32)
    slopes = weights.expand_as(data.train)
    fitted = gradient_sae(data.train, slopes, Shape(32, 4, 60), 0)
    f = fitted.encoded(data.train, of_mean_norm_one(slopes))
    for latent in range(4):
        without = set_to(fitted, data.train, f, latent, 0.0)
        moved = (data.train - without) @ weights
        assert torch.allclose(impacts(fitted, f, slopes)[:, latent], moved, atol=1e-4)


def _driven(rows: int = 400, seed: int = 0, fault: float = 6.0) -> Case:
    return cases.chain(rows, seed, length=5, fault=fault).case(seed=1)


def test_the_symptoms_own_cause_feeds_the_pattern_and_bystanders_do_not():
    """x3 drives x4, the symptom; x0 departs as far and reaches it only through the others."""
    result = GradientSAE(**QUICK).run(_driven())
    _, _, bars = result.blocks
    assert bars.kind == "bars"
    pushed = dict(zip(bars.names, bars.values, strict=True))
    assert pushed["x3|x3"] == max(v for name, v in pushed.items() if name != "x4|x4")
    assert pushed["x0|x0"] < 0.5 * pushed["x3|x3"]
    assert "fed by" in result.answer


def test_setting_the_pattern_back_takes_the_forecast_back():
    result = GradientSAE(**QUICK).run(_driven())
    lines, _, _ = result.blocks
    assert lines.kind == "lines"
    measured, foretold, without = (np.array(line.values, dtype=float) for line in lines.lines)
    after = slice(-60, None)
    assert abs(without[after].mean()) < 0.6 * abs(foretold[after].mean())
    assert np.mean((without - measured)[after] ** 2) > np.mean((foretold - measured)[after] ** 2)


def test_a_forecast_that_foretells_nothing_is_not_taken_at_its_word():
    """Noise without memory: nothing foretells the symptom, so nothing can have moved it."""
    planted = cases.noise(400, 1, series=5, own=0.0)
    window = planted.window.with_onset(330)
    result = GradientSAE(**QUICK).run(Case(window, 2, 0))
    assert result.status == "weak"
    assert CaveatCode.MODEL_MISFIT in {c.code for c in result.caveats}
    assert "no pattern can be said to have moved it" in result.answer


def test_the_forecast_is_learnt_on_quiet_rows_alone():
    quiet = cases.chain(400, 4, length=5, fault=1e-9).case(seed=1)
    broken = cases.chain(400, 4, length=5, fault=9.0).case(seed=1)
    fitted = []
    for case in (quiet, broken):
        seen = tokens_of(case, 1)
        fitted.append(forecast_of(seen, 4).skill)
    assert all(skill > 0.1 for skill in fitted)


def test_it_needs_a_symptom_that_is_measured():
    planted = cases.chain(400, 1, length=3, fault=6.0)
    with pytest.raises(InsufficientData, match="none is named"):
        GradientSAE().run(Case(planted.window, None, 0))
