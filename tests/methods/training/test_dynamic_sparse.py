"""Forecasters sparse from the first step, against dense, small dense and static sparse ones."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.training.dynamic_sparse.method import DynamicSparse
from rootward.methods.training.dynamic_sparse.model import (
    Kind,
    Plan,
    errors,
    fit,
    sensitivities,
    small_hidden,
    weights_of,
)
from rootward.model.result import CaveatCode
from rootward.numerics.masks import (
    Masked,
    Schedule,
    dropped_and_grown,
    erdos_renyi,
    random_mask,
)
from rootward.numerics.training import generator
from rootward.testing import cases
from tests.methods.training.planted_forecasts import Metrics, metrics20


def _errors(data: Metrics, plan: Plan, seed: int) -> dict[Kind, float]:
    fits = {kind: fit(*data.train, kind, plan, seed) for kind in Kind}
    return {kind: float(errors(f.stack, *data.test).mean()) for kind, f in fits.items()}


def _sparse_from_the_start_errs_least(
    data: Metrics, plan: Plan, seed: int, measured: Callable[[str], None]
) -> None:
    error = _errors(data, plan, seed)
    figures = ", ".join(f"{kind} {value:.3f}" for kind, value in error.items())
    measured(f"squared error, seed {seed}, {plan.steps} steps: {figures}")
    assert error[Kind.DYNAMIC] <= 0.97 * error[Kind.STATIC]
    assert error[Kind.DYNAMIC] <= 0.97 * error[Kind.SMALL]
    assert error[Kind.DYNAMIC] <= 0.97 * error[Kind.DENSE]


def test_sparse_from_the_start_errs_least(measured):
    data = metrics20(1, targets=5)
    plan = Plan(steps=350, batch=192, schedule=Schedule(every=25))
    _sparse_from_the_start_errs_least(data, plan, 1, measured)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_sparse_from_the_start_errs_least_at_full_length(seed, measured):
    _sparse_from_the_start_errs_least(metrics20(seed), Plan(), seed, measured)


def test_its_slopes_point_at_the_causes():
    data = metrics20(2, rows=2000, targets=4)
    plan = Plan(steps=250, batch=128, density=0.05, schedule=Schedule(every=25))
    fitted = fit(*data.train, Kind.DYNAMIC, plan, 0)
    slopes = sensitivities(fitted.stack, data.test[0], 20).numpy()
    others = ~np.eye(20, 4, dtype=bool)
    true, false = slopes[data.edges & others], slopes[~data.edges & others]
    assert np.mean(true[:, None] > false[None, :]) > 0.75


def test_the_number_of_weights_stays_while_they_move():
    data = metrics20(3, rows=600, targets=2)
    plan = Plan(hidden=16, steps=60, schedule=Schedule(every=10))
    fitted = fit(*data.train, Kind.DYNAMIC, plan, 0)
    still = fit(*data.train, Kind.STATIC, plan, 0)
    for layer in (fitted.stack.first, fitted.stack.second):
        kept = (layer != 0).flatten(1).sum(dim=1)
        assert torch.all(kept <= round(0.1 * layer[0].numel()) + 16)
    assert fitted.weights == still.weights
    assert fitted.explored > 1.5 * still.explored


def test_the_smallest_weights_give_way_to_the_largest_slopes():
    weights = torch.tensor([[[3.0, 0.1], [0.0, 0.0]]])
    slopes = torch.tensor([[[9.0, 9.0], [0.5, 2.0]]])
    mask = torch.tensor([[[True, True], [False, False]]])
    moved = dropped_and_grown(weights, slopes, mask, 0.5)
    assert moved.tolist() == [[[True, False], [False, True]]]


def test_weights_and_moments_are_zero_outside_of_the_mask():
    random = generator(0)
    weight = torch.randn(3, 5, 4, generator=random)
    masked = Masked([weight], [random_mask(3, (5, 4), 0.3, random)])
    moment = torch.ones_like(weight)
    before = masked.count
    for _ in range(5):
        masked.exchange([torch.randn(3, 5, 4, generator=random)], 0.4)
        masked.keep_to([[moment]])
        assert masked.count == before
        assert torch.all(weight[~masked.masks[0]] == 0)
        assert torch.all(moment[~masked.masks[0]] == 0)


def test_the_exchange_falls_along_a_cosine_and_ends():
    schedule = Schedule(every=10)
    assert schedule.share(10, 1000) == pytest.approx(0.5, abs=0.01)
    assert schedule.share(500, 1000) == pytest.approx(0.2525, abs=0.01)
    assert schedule.share(15, 1000) == 0
    assert Schedule(every=10, until=0.75).share(800, 1000) == 0


def test_erdos_renyi_keeps_the_total_and_no_layer_exceeds_one():
    shapes = [(100, 50), (50, 5), (5, 2)]
    densities = erdos_renyi(shapes, 0.2)
    kept = sum(d * a * b for d, (a, b) in zip(densities, shapes, strict=True))
    assert kept == pytest.approx(0.2 * sum(a * b for a, b in shapes))
    assert densities[-1] == 1.0
    assert max(densities) <= 1.0
    assert densities[0] < densities[1]


def test_a_small_dense_forecaster_has_the_budget_of_a_sparse_one():
    plan = Plan(hidden=64, density=0.1)
    assert weights_of(120, 64) == 11840
    assert weights_of(120, 64, 0.1) == 1242
    small = weights_of(120, small_hidden(120, plan))
    assert small == pytest.approx(weights_of(120, 64, 0.1), rel=0.1)


QUICK = {"steps": 60, "hidden": 16}


def test_it_tells_what_the_budget_buys():
    planted = cases.random_graph(rows=500, seed=1, series=10)
    result = DynamicSparse(density=0.2, **QUICK).run(planted.case())
    assert "sparse from the first step" in result.answer
    assert "kB" in result.answer
    table, plot = result.blocks
    assert table.kind == "table"
    assert [row[0] for row in table.rows] == [str(k) for k in Kind]
    assert plot.kind == "scatter"


def test_a_budget_of_memory_becomes_a_density():
    planted = cases.random_graph(rows=300, seed=1, series=10)
    result = DynamicSparse(megabytes=0.01, **QUICK).run(planted.case())
    table = result.blocks[0]
    assert table.kind == "table"
    memory = dict(zip([r[0] for r in table.rows], [r[5] for r in table.rows], strict=True))
    assert isinstance(memory["dynamic sparse"], float)
    assert memory["dynamic sparse"] == pytest.approx(10.0, rel=0.15)


def test_noise_is_not_sold_as_a_saving():
    result = DynamicSparse(**QUICK).run(cases.noise(400, 1, series=6, own=0.0).case())
    assert result.status == "weak"
    assert CaveatCode.MODEL_MISFIT in {c.code for c in result.caveats}


def test_too_few_rows_are_said():
    window = cases.chain(rows=400, seed=1).window.rows(0, 50)
    with pytest.raises(InsufficientData, match="needs 80 baseline rows"):
        DynamicSparse().run(cases.Planted(window, frozenset()).case())
