import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.discovery.baseline import baseline
from rootward.methods.discovery.lagged_correlation import LaggedCorrelation
from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.testing import cases
from rootward.testing.discovery_scores import auroc, truth_matrix

EVERY_PAIR = RidgeGranger(false_discovery_rate=1.0)


def _window(values: np.ndarray, step: float = 5.0) -> Window:
    series = tuple(Series.of(f"x{k}", f"x{k}") for k in range(values.shape[1]))
    return Window(series, step * np.arange(len(values)), values, step)


def test_it_finds_a_chain_and_only_the_chain():
    planted = cases.chain(rows=400, seed=1, length=5)
    assert cases.named_edges(RidgeGranger().discover(planted.window, 0)) == planted.named_edges


def test_it_ignores_a_common_cause():
    planted = cases.common_cause(rows=400, seed=1)
    graph = RidgeGranger().discover(planted.window, 0)
    assert cases.named_edges(graph) == {("z", "x"), ("z", "y")}


def test_noise_with_memory_makes_false_edges_in_three_of_a_thousand_pairs_at_most():
    windows = [cases.noise(400, seed, series=12, own=0.9).window for seed in range(20)]
    found = sum(len(RidgeGranger().discover(window, 0).edges) for window in windows)
    assert found <= 0.003 * 20 * 12 * 11


def test_smoothed_series_that_share_nothing_make_few_edges():
    draws = np.random.default_rng(3).standard_normal((620, 60))
    smooth = np.lib.stride_tricks.sliding_window_view(draws, 6, axis=0).mean(axis=2)
    graph = RidgeGranger().discover(_window(smooth), 0)
    assert len(graph.edges) < 0.005 * 60 * 59


def test_it_tells_the_lag_and_the_sign():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(500)
    y = -0.8 * np.roll(x, 3) + 0.3 * rng.standard_normal(500)
    (edge,) = RidgeGranger().discover(_window(np.column_stack((x, y))[3:]), 0).edges
    assert (edge.cause.metric, edge.lag, edge.sign) == ("x0", 3, -1)
    assert edge.weight == pytest.approx(0.64 / (0.64 + 0.09), abs=0.05)


def test_it_ranks_direct_causes_above_what_merely_correlates():
    planted = cases.random_graph(rows=400, seed=3, series=12)
    truth = truth_matrix(planted)
    ours = auroc(EVERY_PAIR.discover(planted.window, 0), truth)
    simple = auroc(LaggedCorrelation(threshold=0.0).discover(planted.window, 0), truth)
    assert ours > 0.98
    assert ours > simple + 0.03


def test_it_never_looks_across_a_gap_or_past_the_onset():
    planted = cases.chain(rows=400, seed=1)
    window = planted.window
    times = window.times + np.where(np.arange(400) >= 200, 1000.0, 0.0)
    torn = Window(window.series, times, window.values, 5.0, onset=350)
    rows = baseline(torn)
    assert rows.samples(3) == 350 - 2 * 3
    spoilt = window.values.copy()
    spoilt[350:] = 1e6
    after = Window(window.series, times, spoilt, 5.0, onset=350)
    assert RidgeGranger().discover(torn, 0) == RidgeGranger().discover(after, 0)


def test_holes_are_bridged_and_a_mostly_missing_series_is_left_out_with_a_caution():
    planted = cases.chain(rows=400, seed=1, length=5)
    values = planted.window.values.copy()
    values[np.random.default_rng(0).random(values.shape) < 0.02] = np.nan
    values[100:, 4] = np.nan
    window = _window(values)
    graph = RidgeGranger().discover(window, 0)
    assert {("x0", "x1"), ("x1", "x2"), ("x2", "x3")} <= cases.named_edges(graph)
    assert not any("x4" in pair for pair in cases.named_edges(graph))
    said = " ".join(baseline(window).cautions)
    assert "1 series" in said
    assert "filled in" in said


def test_two_hundred_series_of_noise_make_hardly_an_edge():
    window = cases.noise(600, 1, series=200).window
    assert len(RidgeGranger().discover(window, 0).edges) <= 10


@pytest.mark.parametrize(("rows", "series"), [(15, 3), (200, 1)])
def test_too_little_data_is_said(rows, series):
    values = np.random.default_rng(0).standard_normal((rows, series))
    with pytest.raises(InsufficientData, match="needs"):
        RidgeGranger().discover(_window(values), 0)


def test_a_series_that_varies_only_where_the_others_are_missing_has_no_edges():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((120, 4))
    values[:, 3] = 7.0
    values[0] = [np.nan, np.nan, np.nan, 5.0]

    graph = RidgeGranger().discover(_window(values), 0)

    assert all("x3" not in (e.cause.service, e.effect.service) for e in graph.edges)


def test_two_series_that_are_the_same_are_no_obstacle():
    values = np.random.default_rng(1).standard_normal((200, 4))
    values[:, 3] = values[:, 0]

    assert RidgeGranger().discover(_window(values), 0).edges == ()
