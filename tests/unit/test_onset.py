"""When an incident began, where nobody says so."""

import numpy as np
import pytest

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.onset import find_onset

ROWS, ONSET = 240, 150
SERVICES = ("api", "cart", "db", "search", "web")
METRICS = ("cpu_usage", "latency_mean", "memory_bytes", "requests_per_second")
NAMES = tuple(Series.of(metric, service) for service in SERVICES for metric in METRICS)


def _noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(50.0, 1.0, (ROWS, len(NAMES)))


def _window(values: np.ndarray) -> Window:
    return Window(NAMES, 1_700_000_000 + 15.0 * np.arange(len(values)), values, 15.0)


def _break(values: np.ndarray, service: str, rows: slice, size: float = 12.0) -> None:
    """All that the service measures of itself leaves its level, in part of the rows."""
    for column, series in enumerate(NAMES):
        if series.service == service:
            values[rows, column] += size * (1.0 if series.metric == "cpu_usage" else 0.5)


def _with_two_steps(seed: int) -> np.ndarray:
    """Two idle services take more memory for good, far beyond their noise, row 60 on; then cart."""
    values = _noise(seed)
    still = [c for c, s in enumerate(NAMES) if s.metric == "memory_bytes" and s.service in "db web"]
    values[:, still] = 50.0 + 0.001 * (values[:, still] - 50.0)
    values[60:, still] += 40.0
    _break(values, "cart", slice(ONSET, None), 40.0)
    return values


@pytest.mark.parametrize("seed", range(2))
def test_a_service_in_trouble_counts_for_more_than_lone_series_that_leap(seed):
    assert find_onset(_window(_with_two_steps(seed))) == pytest.approx(ONSET, abs=2)


@pytest.mark.parametrize("seed", range(2))
def test_what_passed_counts_for_less_than_what_lasts(seed):
    values = _noise(seed)
    _break(values, "db", slice(70, 78), 14.0)
    _break(values, "cart", slice(ONSET, None))

    assert find_onset(_window(values)) == pytest.approx(ONSET, abs=2)


@pytest.mark.parametrize("seed", range(2))
def test_of_two_incidents_alike_the_newer_is_found(seed):
    values = _noise(seed)
    _break(values, "db", slice(80, 110))
    _break(values, "cart", slice(ONSET, 180))

    assert find_onset(_window(values)) == pytest.approx(ONSET, abs=2)


@pytest.mark.parametrize("seed", range(2))
def test_the_first_rows_of_a_window_are_no_baseline_that_anything_could_leave(seed):
    values = _noise(seed)
    values[:5, 2::4] = 0.1 + 1e-4 * (values[:5, 2::4] - 50.0)
    _break(values, "cart", slice(ONSET, None))

    assert find_onset(_window(values)) == pytest.approx(ONSET, abs=2)


@pytest.mark.parametrize("seed", range(2))
def test_noise_has_no_onset(seed):
    assert find_onset(_window(_noise(seed))) is None
