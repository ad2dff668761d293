"""PC keeps the links that nothing explains away, and orients what can be oriented."""

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.discovery.pc import PC
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.independence import correlation_p, correlations, partial_correlations
from rootward.testing import cases


def _window(**columns: np.ndarray) -> Window:
    series = tuple(Series.of(name, name) for name in columns)
    values = np.column_stack(list(columns.values()))
    return Window(series, 5.0 * np.arange(len(values)), values, 5.0)


def _noise(seed: int, count: int, rows: int = 600) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).standard_normal((count, rows)))


def _edges(window: Window) -> frozenset[tuple[str, str]]:
    return cases.named_edges(PC(significance=0.001).discover(window, 0))


def test_two_causes_of_one_effect_are_told_from_it_and_so_is_what_follows():
    a, b, u, v = _noise(1, 4)
    effect = a + b + 0.5 * u
    window = _window(a=a, b=b, effect=effect, last=effect + v)
    assert _edges(window) == {("a", "effect"), ("b", "effect"), ("effect", "last")}


def test_a_chain_is_not_linked_end_to_end_and_points_both_ways():
    a, u, v = _noise(2, 3)
    middle = a + 0.7 * u
    window = _window(a=a, m=middle, z=middle + 0.7 * v)
    assert _edges(window) == {("a", "m"), ("m", "a"), ("m", "z"), ("z", "m")}


def test_a_common_cause_explains_the_link_between_its_effects():
    z, u, v = _noise(3, 3)
    assert ("x", "y") not in _edges(_window(x=z + 0.5 * u, y=z + 0.5 * v, z=z))


def test_two_conditions_are_needed_where_two_causes_are_shared():
    a, b, u, v = _noise(4, 4, rows=2000)
    window = _window(a=a, b=b, x=a + b + 0.5 * u, y=a + b + 0.5 * v)
    linked = {frozenset(edge) for edge in _edges(window)}
    shallow = PC(significance=0.001, most_conditions=1).discover(window, 0)
    assert frozenset(("x", "y")) not in linked
    assert ("x", "y") in cases.named_edges(shallow) | {
        edge[::-1] for edge in cases.named_edges(shallow)
    }


def test_independent_noise_has_hardly_an_edge():
    window = _window(**{f"x{k}": x for k, x in enumerate(_noise(5, 10))})
    assert len(_edges(window)) <= 2


def test_equal_and_constant_series_do_not_stop_it():
    a, u = _noise(6, 2)
    window = _window(a=a, again=a, still=np.full(600, 3.0), effect=a + 0.5 * u)
    graph = PC().discover(window, 0)
    assert {("a", "again"), ("again", "a")} & cases.named_edges(graph)
    assert not any("still" in edge for edge in cases.named_edges(graph))


def test_weights_are_partial_correlations_with_their_sign_at_lag_0():
    a, b, u = _noise(7, 3, rows=4000)
    graph = PC(significance=0.001).discover(_window(a=a, b=b, y=a - b + u), 0)
    found = {(e.cause.metric, e.effect.metric): e for e in graph.edges}
    assert found["a", "y"].sign == 1
    assert found["b", "y"].sign == -1
    assert found["a", "y"].lag == 0
    assert found["a", "y"].weight == pytest.approx(1 / 3**0.5, abs=0.05)


def test_forty_series_that_all_move_together_end_in_time():
    common, *noise = _noise(8, 41, rows=300)
    graph = PC().discover(_window(**{f"x{k}": common + n for k, n in enumerate(noise)}), 0)
    assert len(graph.series) == 40


def test_a_partial_correlation_is_that_of_the_residuals():
    z, u, v = _noise(9, 3)
    values = np.column_stack((z + u, z + v, z))
    left = values[:, :2] - np.outer(z, np.linalg.lstsq(z[:, None], values[:, :2])[0])
    (r,) = partial_correlations(correlations(values), (0, 1), np.array([[2]]))
    assert r == pytest.approx(correlations(left)[0, 1], abs=5e-3)


def test_p_values_of_independent_pairs_are_uniform():
    x = np.random.default_rng(10).standard_normal((2, 50, 2000))
    r = np.array([correlations(x[:, :, k].T)[0, 1] for k in range(2000)])
    assert np.mean(correlation_p(r, 50, 0) < 0.05) == pytest.approx(0.05, abs=0.015)


def test_too_little_data_and_wrong_parameters_are_said():
    with pytest.raises(InsufficientData, match="needs"):
        PC().discover(_window(a=np.arange(8.0), b=np.arange(8.0) ** 2), 0)
    with pytest.raises(InvalidParameters, match="significance"):
        PC(significance=0.0)
