"""When an incident began, where nobody says so or what was told is off by some rows."""

import numpy as np
import pytest

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.onset import around, find_onset
from rootward.rca.ranking import rank

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
    still = [
        c for c, s in enumerate(NAMES) if s.metric == "memory_bytes" and s.service in ("db", "web")
    ]
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


def _first(window: Window) -> str:
    return rank(around(window)).services[0]


@pytest.mark.parametrize("late", range(6))
def test_a_fault_that_is_over_when_it_is_told_is_still_the_cause(late):
    values = _noise(1)[: ONSET + 12]
    _break(values, "cart", slice(ONSET, ONSET + 3), 9.0)

    assert _first(_window(values).with_onset(ONSET + late)) == "cart"


@pytest.mark.parametrize("early", [0, 3, 9])
def test_an_onset_told_too_early_is_moved_on_to_where_something_departs(early):
    values = _noise(2)[: ONSET + 3]
    _break(values, "cart", slice(ONSET, None), 9.0)

    seen = around(_window(values).with_onset(ONSET - early))

    assert ONSET - 2 <= seen.onset <= ONSET


def test_what_was_before_does_not_take_the_place_of_what_is():
    values = _noise(3)
    _break(values, "db", slice(ONSET - 5, ONSET - 2), 40.0)
    _break(values, "cart", slice(ONSET, None), 20.0)

    assert _first(_window(values).with_onset(ONSET)) == "cart"


@pytest.mark.parametrize("seed", range(6))
def test_no_row_before_a_quiet_onset_is_taken_for_it(seed):
    assert around(_window(_noise(seed)).with_onset(ONSET)).onset >= ONSET
