"""What counts as a departure before anything is ranked."""

from dataclasses import replace

import numpy as np

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.observation import observe

NAMES = ["api|latency_mean", "api|cpu_usage", "db|latency_mean", "db|cpu_usage", "web|cpu_usage"]
ONSET = 80


def _window(silent: list[int]) -> Window:
    values = np.random.default_rng(0).normal(50.0, 1.0, (100, len(NAMES)))
    values[ONSET:, silent] = np.nan
    series = tuple(Series.from_column(name) for name in NAMES)
    return Window(series, 1_700_000_000 + 10.0 * np.arange(100), values, 10.0, ONSET)


def test_a_latency_without_requests_is_no_departure_while_its_service_reports():
    seen = observe(_window([0]), ONSET)

    assert seen.found.gone[0] == 0
    assert seen.size[0] == 0


def test_a_service_that_vanishes_with_all_its_series_departs():
    seen = observe(_window([2, 3]), ONSET)

    assert seen.found.gone[[2, 3]].min() > 0.9
    assert seen.size[[2, 3]].min() > 1.5 * seen.size[[0, 1, 4]].max()


def test_a_gauge_that_stops_departs_even_though_its_service_reports():
    seen = observe(_window([1]), ONSET)

    assert seen.found.gone[1] > 0.9


def test_a_series_that_is_seldom_measured_departs_at_its_last_measured_row():
    window = _window([])
    values = window.values.copy()
    values[ONSET:, 0] = np.nan
    values[ONSET + 4, 0] = 90.0
    seen = observe(replace(window, values=values), ONSET)

    assert seen.onsets[0] == ONSET + 4


def test_a_percentile_of_waits_without_requests_is_no_departure():
    names = ["api|lock_wait_seconds_p90", "api|cpu_usage", "db|cpu_usage"]
    values = np.random.default_rng(1).normal(50.0, 1.0, (100, 3))
    values[ONSET:, 0] = np.nan
    series = tuple(Series.from_column(name) for name in names)
    seen = observe(Window(series, 10.0 * np.arange(100), values, 10.0, ONSET), ONSET)

    assert seen.size[0] == 0


def test_an_instance_is_named_only_where_a_service_has_several():
    one, two = (Series.of("cpu_usage", "api", instance=i) for i in ("a", "b"))
    view = Series.of("latency_from_web_mean", "api")
    values = np.random.default_rng(3).normal(50.0, 1.0, (100, 2))
    alone = Window((one, view), 10.0 * np.arange(100), values, 10.0, ONSET)
    both = replace(alone, series=(one, two))

    assert observe(alone, ONSET).spoken(one) == "api|cpu_usage"
    assert observe(both, ONSET).spoken(one) == "api#a|cpu_usage"
