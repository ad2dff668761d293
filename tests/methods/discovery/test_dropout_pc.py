"""The graph in spite of dropped values: nothing invented, nothing blamed on an outage."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.discovery.dropout_pc.method import DropoutPC
from rootward.methods.discovery.dropout_pc.zero_deleted import drop_together, zero_deleted
from rootward.model.case import Case
from rootward.model.result import CaveatCode
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.independence import correlations
from rootward.numerics.skeleton import (
    FisherZ,
    IndependenceTest,
    equivalence_class,
    hamming_distance,
    oriented,
    skeleton,
)
from rootward.numerics.structural import random_equations
from rootward.testing import cases

AWAY = 20.0
"""Level of the values: a dropped one, 0, is far from them."""


def _class(test: IndependenceTest) -> np.ndarray:
    found = skeleton(test, significance=0.01, most_conditions=3, most_neighbours=8)
    return oriented(found)


def test_a_graph_with_two_fifths_of_its_values_dropped_is_found_better_than_by_filling_in(
    measured,
):
    wrong = {"full": 0, "zeros": 0, "means": 0, "deleted": 0}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth = random_equations(10, 10.0, rng, weights=(0.4, 1.0), noise_variance=(1.0, 1.96))
        z = truth.sample(5000, rng)
        dropped = rng.random(z.shape) < 1 / (1 + np.exp(0.4 + z))
        zeros = np.where(dropped, 0.0, z + AWAY)
        seen = np.where(dropped, np.nan, z + AWAY)
        tests: dict[str, IndependenceTest] = {
            "full": FisherZ(correlations(z), 5000),
            "zeros": FisherZ(correlations(zeros), 5000),
            "means": FisherZ(
                correlations(np.where(dropped, np.nanmean(seen, axis=0), zeros)), 5000
            ),
            "deleted": zero_deleted(zeros, dropped),
        }
        known = equivalence_class(truth.edges)
        for name, test in tests.items():
            wrong[name] += hamming_distance(_class(test), known)
    measured(
        f"{wrong['deleted'] / 10} edges wrong with {dropped.mean():.0%} dropped; zeros as values "
        f"{wrong['zeros'] / 10}, means filled in {wrong['means'] / 10}, none dropped "
        f"{wrong['full'] / 10}"
    )
    assert wrong["deleted"] <= 0.7 * wrong["zeros"]
    assert wrong["deleted"] <= 0.7 * wrong["means"]
    assert wrong["full"] <= wrong["deleted"]


def _pair(rng: np.random.Generator, rows: int = 600) -> np.ndarray:
    return rng.standard_normal((rows, 2))


def test_an_outage_of_a_node_makes_no_edge_between_what_runs_there():
    rng = np.random.default_rng(0)
    values, out = _pair(rng) + AWAY, rng.random(600) < 0.2
    dropped = np.tile(out[:, None], (1, 2))
    assert drop_together(values, dropped)[0, 1]
    assert zero_deleted(values, dropped).pairs()[1][0, 1] > 0.01
    naive = FisherZ(correlations(np.where(dropped, 0.0, values)), 600)
    assert naive.pairs()[1][0, 1] < 1e-6


def test_dropouts_that_follow_related_values_are_no_outage():
    rng = np.random.default_rng(1)
    z = rng.standard_normal((2000, 1)) + 0.7 * _pair(rng, 2000)
    dropped = rng.random(z.shape) < 1 / (1 + np.exp(0.4 + z))
    assert np.corrcoef(dropped.T.astype(float))[0, 1] > 0.05
    assert not drop_together(z, dropped).any()


def _window(values: np.ndarray, *metrics: str) -> Window:
    series = tuple(Series.of(metric, f"s{k}") for k, metric in enumerate(metrics))
    return Window(series, 5.0 * np.arange(len(values)), values, 5.0)


def _chain(rows: int = 800) -> np.ndarray:
    """x drives m drives y: linked end to end only where m is not held fixed."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(rows)
    m = x + 0.4 * rng.standard_normal(rows)
    return np.column_stack((x, m, m + 0.4 * rng.standard_normal(rows))) * 0.1 + 1.0


METRICS = ("latency_seconds", "cpu_utilisation_ratio", "latency_p95_seconds")


def test_a_scrape_that_fails_when_it_is_busy_does_not_link_the_ends_of_a_chain():
    values = _chain()
    busy = values[:, 1] > np.quantile(values[:, 1], 0.6)
    values[:, 1] = np.where(busy, 0.0, values[:, 1])
    window = _window(values, *METRICS)
    result = DropoutPC().run(Case(window))
    ends = {("s0|latency_seconds", "s2|latency_p95_seconds")}
    assert not {(str(e.cause), str(e.effect)) for e in DropoutPC().discover(window, 0).edges} & ends
    assert "13.3% dropped values: 1 edge differs" in result.answer
    blind = DropoutPC(zeros_drop=False).discover(window, 0)
    assert {(str(e.cause), str(e.effect)) for e in blind.edges} & ends


def test_a_gap_is_a_dropout_and_a_service_without_requests_is_not():
    values = _chain()
    values[::7, 0] = np.nan
    values[::5, 1] = 0.0
    window = _window(values, "latency_seconds", "requests_per_second", "latency_p95_seconds")
    found = DropoutPC().find(window)
    shares = dict(zip(found.series, found.dropped.mean(axis=0).tolist(), strict=True))
    assert shares == {0: pytest.approx(1 / 7, abs=0.01), 1: 0.0, 2: 0.0}


def test_without_dropouts_both_graphs_are_the_same_and_it_says_so():
    result = DropoutPC().run(cases.shop(1).case())
    assert "little to correct" in result.answer
    assert result.headline is not None
    assert result.baseline is not None
    assert result.headline.value == result.baseline.value
    assert result.status == "ok"


def test_an_outage_of_many_series_is_said():
    planted = cases.shop(3)
    values = planted.window.values.copy()
    values[50:110, :8] = np.nan
    result = DropoutPC().run(Case(replace(planted.window, values=values)))
    assert CaveatCode.MODEL_MISFIT in {c.code for c in result.caveats}
    assert "drop out together" in result.caveats[0].text


def test_noise_with_a_memory_makes_hardly_an_edge():
    found = [
        len(DropoutPC().discover(cases.noise(300, s, own=0.8).window, 0).edges) for s in range(5)
    ]
    assert sum(found) <= 5  # of 140 pairs, most drawn both ways


def test_little_data_and_wrong_parameters_are_said():
    with pytest.raises(InsufficientData, match="baseline rows"):
        DropoutPC().run(Case(cases.shop(1).window.rows(0, 20).with_onset(None)))
    with pytest.raises(InsufficientData, match="two series"):
        DropoutPC().run(Case(cases.shop(1).window.select([0])))
    with pytest.raises(InvalidParameters, match="significance"):
        DropoutPC(significance=1.0)
