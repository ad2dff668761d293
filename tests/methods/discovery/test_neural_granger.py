import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.discovery.lagged_correlation import LaggedCorrelation
from rootward.methods.discovery.neural_granger.encoder import decompose, nonlinear_features, view
from rootward.methods.discovery.neural_granger.method import NeuralGranger
from rootward.methods.discovery.neural_granger.model import MOMENTUM, Forecasters, Shape
from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.numerics.training import generator
from rootward.testing import cases
from rootward.testing.discovery_scores import auroc, truth_matrix

EVERY_PAIR = {"false_discovery_rate": 1.0}


def test_it_finds_products_of_causes_that_linear_methods_miss():
    planted = cases.chaos(rows=500, seed=0, forcing=40.0)
    window, truth = planted.window, truth_matrix(planted)
    ours = auroc(NeuralGranger(**EVERY_PAIR).discover(window, 0), truth)
    ridge = auroc(RidgeGranger(**EVERY_PAIR).discover(window, 0), truth)
    simple = auroc(LaggedCorrelation(threshold=0.0).discover(window, 0), truth)
    assert ours > 0.9
    assert ours > ridge + 0.1
    assert ours > simple + 0.1


def test_it_loses_nothing_where_the_truth_is_linear():
    planted = cases.random_graph(rows=300, seed=3, series=10)
    graph = NeuralGranger().discover(planted.window, 0)
    assert auroc(graph, truth_matrix(planted)) > 0.97
    assert len(cases.named_edges(graph) - planted.named_edges) <= 2


def test_it_ignores_a_common_cause():
    planted = cases.common_cause(rows=400, seed=1)
    graph = NeuralGranger().discover(planted.window, 0)
    assert cases.named_edges(graph) == {("z", "x"), ("z", "y")}


def test_it_draws_hardly_an_edge_in_noise_with_memory():
    windows = [cases.noise(300, seed, series=8, own=0.7).window for seed in range(3)]
    assert sum(len(NeuralGranger().discover(window, 0).edges) for window in windows) <= 1


def test_edges_tell_lag_sign_and_confidence():
    planted = cases.chain(rows=400, seed=1, length=4, lag=2)
    graph = NeuralGranger().discover(planted.window, 0)
    assert cases.named_edges(graph) == planted.named_edges
    for edge in graph.edges:
        assert (edge.lag, edge.sign) == (2, 1)
        assert edge.confidence is not None
        assert edge.confidence >= 0.75


def test_the_seed_decides_alone():
    window = cases.chain(rows=150, seed=1).window
    torch.manual_seed(1)
    first = NeuralGranger(**EVERY_PAIR).discover(window, 5)
    torch.manual_seed(2)
    assert NeuralGranger(**EVERY_PAIR).discover(window, 5) == first
    assert NeuralGranger(**EVERY_PAIR).discover(window, 6) != first


def test_what_happens_after_the_onset_does_not_enter():
    quiet, broken = cases.no_fault(rows=240, seed=1).window, cases.shop(rows=240, seed=1).window
    few = NeuralGranger(steps=20)
    assert few.discover(quiet, 0) == few.discover(broken, 0)


def test_too_few_rows_are_said():
    window = cases.chain(rows=400, seed=1).window.rows(0, 44)
    with pytest.raises(InsufficientData, match="needs 40 baseline rows"):
        NeuralGranger().discover(window, 0)


def test_a_penalty_removes_candidates_but_never_the_own_past():
    random = generator(0)
    z = torch.randn(3, 100, 8, generator=random)
    y = torch.randn(3, 1, 100, generator=random)
    model = Forecasters(z, 4, Shape(hidden=4, penalty=2.0, steps=50, patience=50), seed=0)
    model.start_at_ridge(z, y)
    for _ in range(50):
        model.step(z, y)
    groups = model.weights.view(3, 5, 4, -1).norm(dim=(1, 3))
    assert torch.all(groups[:, 1:] == 0)
    assert torch.all(groups[:, 0] > 0)


def test_a_step_follows_the_slope_that_autograd_finds():
    random = generator(3)
    z, y = torch.randn(2, 60, 6, generator=random), torch.randn(2, 1, 60, generator=random)
    model = Forecasters(z, 3, Shape(hidden=5, penalty=0.0, steps=1, patience=1), seed=1)
    model.start_at_ridge(z, y)
    before = [one.clone().requires_grad_() for one in model.parameters]
    model.weights, model.bias, model.out, model.level = before
    slopes = torch.autograd.grad(((model(z) - y) ** 2).mean(dim=2).sum(), before)
    model.weights, model.bias, model.out, model.level = (one.detach().clone() for one in before)
    model.step(z, y)
    for old, new, slope in zip(before, model.parameters, slopes, strict=True):
        assert slope.norm() > 0
        moved = old.detach() - model.rate * (1 + MOMENTUM) * slope
        if new is model.out:
            moved = moved / moved.norm(dim=2, keepdim=True).clamp_min(1)
        torch.testing.assert_close(new, moved)


def test_trend_and_rest_are_parted_over_time_within_one_series():
    stretch = torch.zeros(2, 6)
    stretch[0] = 1.0
    rest, trend = decompose(stretch)
    assert torch.allclose(trend[0], torch.ones(6))
    assert torch.all(rest[0].abs() < 1e-6)
    assert torch.all(trend[1] == 0)


def test_two_views_of_a_stretch_differ_and_keep_its_newest_rows():
    stretch, random = torch.ones(50, 6) * 4, generator(0)
    one, other = view(stretch, random), view(stretch, random)
    assert not torch.equal(one, other)
    assert torch.all(one[:, :3] > 2)
    assert torch.any(one[:, 5] == 0)


def test_features_of_a_series_depend_on_that_series_alone():
    past = torch.randn(200, 3, 6, generator=generator(0))
    features = nonlinear_features(past, 3, 4, seed=1)
    linear = past[:, :, :3] - past[:, :, :3].mean(dim=0)
    overlap = torch.einsum("nsl,nsf->slf", linear, features) / 200
    assert overlap.abs().max() < 0.05
    assert np.allclose(features.std(dim=0), 1, atol=0.25)
