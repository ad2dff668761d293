"""Departures from a baseline, on arrays."""

import numpy as np
import pytest

from rootward.numerics.departure import (
    Rule,
    calibrate,
    departures,
    independent_rows,
    longest_run,
    onset_row,
)

FLOOR, GROUP = np.full(200, 0.05), np.zeros(200, dtype=np.int64)


def autoregressive(rows: int, series: int, phi: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(rows + 200, series))
    values = np.zeros_like(noise)
    for row in range(1, len(values)):
        values[row] = phi * values[row - 1] + noise[row]
    return values[200:] * np.sqrt(1 - phi**2)


def scores(values: np.ndarray, usable: np.ndarray | None = None) -> np.ndarray:
    """The scores of the last row."""
    rows, series = values.shape
    usable = np.ones(rows, dtype=bool) if usable is None else usable
    normal = calibrate(values, usable, FLOOR[:series], GROUP[:series], Rule())
    return departures(values, usable, normal).score


def alarms(values: np.ndarray, window: int = 360) -> int:
    """Rows at which any series is found; what is normal is learnt every few rows."""
    found = 0
    for end in range(40, len(values)):
        seen = values[max(0, end - window) : end]
        usable = np.ones(len(seen), dtype=bool)
        if end % (4 if end < 130 else 20) == 0:
            normal = calibrate(seen, usable, FLOOR[: seen.shape[1]], GROUP[: seen.shape[1]], Rule())
        found += bool(np.any(np.abs(departures(seen, usable, normal).score) >= 1))
    return found


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9, 0.97])
def test_noise_raises_no_alarm_however_it_is_correlated(phi: float):
    assert alarms(autoregressive(500, 200, phi, seed=1)) <= 1


def test_a_load_that_swings_raises_no_alarm():
    rows = np.arange(600)[:, None]
    phase = np.linspace(0, 6, 40)[None]
    noise = np.random.default_rng(2).normal(size=(600, 40))
    assert alarms(10 + 4 * np.sin(2 * np.pi * rows / 120 + phase) + noise) == 0


@pytest.mark.parametrize("rows", [50, 120, 360])
def test_a_jump_is_found_within_three_rows(rows: int):
    values = autoregressive(rows, 20, 0.3, seed=3)
    values[-3:, 4] += 15.0
    found = np.flatnonzero(np.abs(scores(values)) >= 1)
    assert found.tolist() == [4]


def test_one_wild_row_is_not_a_departure():
    values = autoregressive(200, 20, 0.3, seed=4)
    values[-2, 4] += 100.0
    assert np.all(np.abs(scores(values)) < 1)


def test_a_slight_shift_is_found_once_it_lasts():
    values = autoregressive(360, 20, 0.0, seed=5)
    values[-9:, 4] -= 4.0
    assert np.flatnonzero(scores(values) <= -1).tolist() == [4]


def test_few_rows_are_not_judged():
    values = autoregressive(25, 5, 0.0, seed=6)
    values[-3:] += 1000.0
    assert np.all(scores(values) == 0)


def test_a_series_that_never_moved_departs_when_it_moves():
    values = np.ones((100, 3))
    values[-3:, 1] = 0.0
    assert np.flatnonzero(scores(values) <= -1).tolist() == [1]


def test_rows_of_earlier_incidents_do_not_widen_the_baseline():
    values = autoregressive(200, 4, 0.0, seed=7)
    values[100:130, 2] += 20.0
    values[-3:, 2] += 12.0
    usable = np.ones(200, dtype=bool)
    usable[100:130] = False
    assert abs(scores(values)[2]) < abs(scores(values, usable)[2])
    assert scores(values, usable)[2] >= 1


def test_gaps_are_no_departure():
    values = autoregressive(200, 4, 0.0, seed=8)
    values[-5:, 1] = np.nan
    values[::3, 2] = np.nan
    assert np.all(np.abs(scores(values)) < 1)


def test_the_onset_is_the_first_row_that_stays_away():
    column = np.random.default_rng(9).normal(size=50)
    column[38:] += 9.0
    column[42] = 0.0
    column[20] = 9.0
    assert onset_row(column, 0.0, 1.0, 1.0) == 38
    assert onset_row(-column, 0.0, 1.0, -1.0) == 38


def test_without_a_departure_the_onset_lies_behind_the_last_row():
    assert onset_row(np.zeros(20), 0.0, 1.0, 1.0) == 20


def test_correlated_rows_count_for_fewer():
    white = independent_rows(autoregressive(400, 50, 0.0, seed=10))
    red = independent_rows(autoregressive(400, 50, 0.9, seed=10))
    assert np.median(white) > 350
    assert 10 < np.median(red) < 40


def test_the_longest_run_is_counted():
    assert longest_run(np.array([False, True, True, False, True], dtype=bool)) == 2
    assert longest_run(np.zeros(4, dtype=bool)) == 0
