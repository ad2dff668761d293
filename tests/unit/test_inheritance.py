"""The causal graph where it must earn its keep: victims that are louder than the cause."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import NotFound
from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.graph import CausalGraph, Edge
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.diagnose import diagnose
from rootward.rca.inheritance import inherited
from rootward.rca.observation import observe
from rootward.testing.incidents import ONSET, SHAPES, planted_incident

ROWS, BEGAN = 300, 250
WEB, CART = (Series.of("latency_seconds_mean", name) for name in ("web", "cart"))
LOAD = Series.of("requests_per_second", "cart")
NO_CALLS = np.empty((0, 2), dtype=np.int64)


def _inherited(
    *edges: tuple[Series, Series], late: int = 1, small: float = 8.0, calls: np.ndarray = NO_CALLS
) -> dict[Series, float]:
    """Shares that are inherited where web departs far, and cart less far, `late` rows before."""
    values = np.random.default_rng(0).normal(100.0, 1.0, (ROWS, 3))
    values[BEGAN + late :, 0] += 40.0
    values[BEGAN:, 1] += small
    values[BEGAN:, 2] += 30.0
    series = (WEB, CART, LOAD)
    onset = BEGAN + min(late, 0)
    seen = observe(Window(series, 15.0 * np.arange(ROWS), values, 15.0, onset), onset)
    graph = CausalGraph(series, tuple(Edge(a, b, 1, 0.2, 1) for a, b in edges))
    return dict(zip(series, inherited(seen, graph, calls).tolist(), strict=True))


def test_a_departure_is_inherited_from_a_driver_that_departed_less_and_first():
    assert _inherited((CART, WEB))[WEB] == 1


def test_nothing_is_inherited_from_a_driver_that_departed_later():
    assert _inherited((CART, WEB), late=-3)[WEB] == 0


def test_nothing_is_inherited_from_a_driver_that_hardly_departed():
    assert _inherited((CART, WEB), small=0.5)[WEB] == 0


def test_load_alone_hands_nothing_on():
    assert _inherited((LOAD, WEB))[WEB] == 0


def test_between_known_services_only_callees_drive():
    web, cart = 1, 0  # positions of the services by name

    assert _inherited((CART, WEB), calls=np.array([[web, cart]]))[WEB] == 1
    assert _inherited((CART, WEB), calls=np.array([[cart, web]]))[WEB] == 0


def test_the_learnt_graph_names_causes_that_are_not_the_loudest():
    made = [
        planted_incident(shape, seed)
        for shape in ("fan_in", "load_change")
        for seed in (101, 103, 105)
    ]

    def right(method: RidgeGranger | None) -> int:
        named = [diagnose(m.window, discovery=method).candidates[0].service for m in made]
        return sum(
            m.cause is not None and n == m.cause.service for m, n in zip(made, named, strict=True)
        )

    assert right(RidgeGranger()) >= 5
    assert right(None) <= 2


def test_without_a_fault_the_graph_names_nobody():
    made = planted_incident("load_change", 4)
    healthy = made.window.rows(0, ONSET).with_onset(ONSET - 60)

    assert diagnose(healthy, discovery=RidgeGranger()).abstained


def test_an_incident_comes_from_its_seed_alone():
    one, same, other = (planted_incident("seasonal", seed) for seed in (3, 3, 4))

    assert np.array_equal(one.window.values, same.window.values)
    assert not np.array_equal(one.window.values, other.window.values)
    assert replace(one.window, values=other.window.values).series == other.window.series


def test_a_shape_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(NotFound, match=next(iter(SHAPES))):
        planted_incident("ring")
