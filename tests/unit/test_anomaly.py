"""Departures: scales that neither constants, gaps nor earlier faults break."""

import numpy as np
import pytest

from rootward.numerics.anomaly import (
    HABIT,
    LEVEL_FLOOR,
    departures,
    extremes,
    mean_and_deviation,
    median,
    quantiles,
    recurring_extreme,
    usual_extreme,
)
from rootward.numerics.suspicion import (
    LATE,
    NEVER,
    breadth,
    by_service,
    first_rows,
    promptness,
    second_kind,
    support,
    suspicion,
)
from rootward.numerics.topology import beyond_reach, entry, explained_callers


def _noise(rows: int = 120, series: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(10.0, 1.0, (rows, series))


def _alone(series: int) -> np.ndarray:
    return np.arange(series)


def test_quantiles_leave_out_what_was_not_measured():
    values = np.array([[1.0, np.nan, np.nan], [3.0, 4.0, np.nan], [2.0, np.inf, np.nan]])

    assert quantiles(values, (0.5,))[0][:2].tolist() == [2.0, 4.0]
    assert np.isnan(median(values)[2])


def test_quantiles_agree_with_numpy():
    values = _noise(37, 4)

    found = quantiles(values, (0.1, 0.25, 0.8))

    assert found == pytest.approx(np.quantile(values, (0.1, 0.25, 0.8), axis=0))


def test_a_column_of_one_value_does_not_deviate_at_all():
    mean, deviation = mean_and_deviation(np.full((7, 1), 0.1))

    assert mean[0] == pytest.approx(0.1)
    assert deviation[0] == 0


def test_extremes_of_nothing_are_unknown():
    low, high = extremes(np.full((3, 1), np.nan))

    assert np.isnan(low[0])
    assert np.isnan(high[0])


@pytest.mark.parametrize(
    ("rows", "length"), [(500, 100), (61, 2), (20, 5), (33, 4), (7, 7), (1, 1)]
)
def test_the_usual_extreme_is_the_median_of_the_largest_of_each_stretch(rows, length):
    rng = np.random.default_rng(rows)
    away = np.where(rng.random((rows, 4)) < 0.3, np.nan, np.abs(rng.normal(size=(rows, 4))))
    away[:, 3] = np.nan
    starts = np.unique(np.linspace(0, rows - length, min(rows - length + 1, 60)).astype(int))

    highest = [np.fmax.reduce(away[s : s + length], axis=0) for s in starts]
    expected = [
        np.median(x[np.isfinite(x)]) if np.isfinite(x).any() else np.nan
        for x in np.transpose(highest)
    ]

    assert usual_extreme(away, length) == pytest.approx(expected, nan_ok=True)


def test_the_usual_extreme_is_not_moved_by_one_earlier_fault():
    away = np.abs(_noise(200, 1) - 10)
    faulty = away.copy()
    faulty[60:75] = 50.0

    assert usual_extreme(faulty, 10)[0] == pytest.approx(usual_extreme(away, 10)[0], rel=0.2)


def _leaping(rows: int, times: int) -> np.ndarray:
    """A series that is nearly constant, and leaps by 50 in single rows."""
    values = 1e-5 * (1 + 0.1 * np.random.default_rng(0).normal(size=(rows, 1)))
    values[20 : 20 + 30 * times : 30] += 50.0
    return values


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_next_leap_of_a_series_that_leaps_now_and_then_is_no_news(length):
    after = np.full((length, 1), 1e-5)
    after[0] = 50.0

    found = departures(np.vstack([_leaping(300, 8), after]), 300, _alone(1))

    assert found.size[0] <= HABIT


def test_one_earlier_leap_makes_no_habit():
    assert recurring_extreme(_leaping(300, 1), 2)[0] < 1e-4
    assert recurring_extreme(_leaping(300, 8), 2)[0] == pytest.approx(40, rel=0.01)


def test_a_habit_cannot_be_told_from_a_short_baseline():
    assert recurring_extreme(_leaping(30, 1), 2)[0] == 0


def test_what_is_too_small_to_matter_is_measured_in_what_matters():
    values = np.full((60, 1), 1e-6)
    values[50:] = 4e-4

    found = departures(values, 50, _alone(1), least=np.array([5e-4]))

    assert found.size[0] < 1


def test_a_shift_is_as_large_as_it_is_in_usual_extremes():
    values = _noise()
    values[100:, 1] += 20

    found = departures(values, 100, _alone(3))

    assert found.size[1] > 8
    assert found.size[[0, 2]].max() < 1.5
    assert found.direction[1] == 1


def test_a_longer_incident_is_held_against_longer_stretches():
    values = np.abs(_noise(400, 1))
    values[::25, 0] += 30

    short = departures(np.vstack([values, values[:2] + 30]), 400, _alone(1))
    long = departures(np.vstack([values, np.repeat(values[:2] + 30, 30, axis=0)]), 400, _alone(1))

    assert long.scale[0] > 1.5 * short.scale[0]


def test_a_flag_that_goes_out_is_as_far_away_as_one_that_comes_on():
    values = np.column_stack([np.zeros(60), np.ones(60), np.full(60, 3e-7)])
    values[50:] = np.array([1.0, 0.0, 0.0])

    assert departures(values, 50, _alone(3)).size == pytest.approx(np.full(3, 1 / LEVEL_FLOOR))


def test_a_constant_that_leaves_its_value_late_departs_and_one_that_blinks_does_not():
    values = np.zeros((150, 2))
    values[146:, 0] = 1.0
    values[120:122, 1] = 1.0

    found = departures(values, 100, _alone(2))

    assert found.size[0] > 50
    assert found.size[1] == 0


def test_a_constant_borrows_the_scale_of_the_same_metric_elsewhere():
    values = np.column_stack([np.zeros(60), np.random.default_rng(0).normal(0, 100, 60)])
    values[50:, 0] = 3.0

    found = departures(values, 50, np.array([0, 0]))

    assert found.size[0] < 1


def test_a_change_below_a_hundredth_of_the_level_is_no_news():
    values = np.full((60, 1), 1000.0)
    values[50:] = 1005.0

    assert departures(values, 50, _alone(1)).size[0] == pytest.approx(0.5, rel=0.01)


def test_holes_and_infinities_make_no_departure():
    values = _noise()
    values[100:105, 0] = np.nan
    values[110, 1] = np.inf
    values[:, 2] = np.nan

    found = departures(values, 100, _alone(3))

    assert np.isfinite(found.size).all()
    assert found.size.max() < 2
    assert np.isnan(found.centre[2])
    assert found.trust[2] == 0


def test_a_recording_that_stops_as_a_whole_is_nobodys_departure():
    values = _noise()
    values[110:] = np.nan

    assert departures(values, 100, _alone(3)).gone.max() == 0


def test_few_measured_rows_are_trusted_less():
    values = _noise()
    values[:96, 0] = np.nan

    found = departures(values, 100, _alone(3))

    assert found.trust[0] < 0.5 < found.trust[1]


def test_the_unit_of_a_metric_changes_nothing():
    values = _noise()
    values[100:, 1] += 7

    one, other = (departures(v, 100, np.zeros(3, int)) for v in (values, values * 1024.0))

    assert other.size == pytest.approx(one.size)


def test_a_departure_begins_with_two_rows_running():
    z = np.zeros((10, 3))
    z[4, 0] = 9.0  # one row is a glitch
    z[6:8, 1] = -9.0
    z[9, 2] = 9.0  # the last row may be the first of many

    assert first_rows(z, 3).tolist() == [NEVER, 6, 9]


def test_the_first_to_depart_loses_nothing_and_the_last_most():
    found = promptness(np.array([10, 60, NEVER]), 10, 110)

    assert found[0] == 1
    assert 1 - LATE <= found[1] < found[2] < 1


def test_services_are_pooled_by_maximum_mean_and_second_kind():
    values, owners = np.array([4.0, 2.0, 1.0, 3.0]), np.array([0, 0, 0, 1])

    assert by_service(values, owners, 3).tolist() == [4, 3, 0]
    assert breadth(values, owners, 3) == pytest.approx([7 / 3, 3, 0])
    assert support(values, owners, 3) == pytest.approx([1, 0, 0])
    assert second_kind(values, owners, np.array([0, 0, 1, 0]), 3).tolist() == [1, 0, 0]


def test_a_service_that_is_measured_once_gains_nothing_by_it():
    values, owners = np.array([5.0, 1.0, 0.0, 4.8]), np.array([0, 0, 0, 1])

    found = suspicion(values, owners, np.zeros(4, dtype=np.int64), 2)

    assert found[0] > found[1] == pytest.approx(4.8)


CALLS = np.array([[0, 1], [1, 2], [3, 2]])


def test_a_caller_is_explained_by_a_callee_that_departed_as_far():
    surprise, owners = np.array([3.0, 3.0, 0.5]), np.array([0, 1, 2])
    everything, own = np.ones(3, bool), np.full(3, -1)

    assert explained_callers(surprise, everything, owners, own, CALLS).tolist() == [
        True, False, False,
    ]  # fmt: skip


def test_a_callers_view_of_its_callee_does_not_explain_the_caller():
    surprise, owners = np.array([3.0, 3.0, 0.5]), np.array([0, 1, 2])
    viewers = np.array([-1, 0, -1])

    found = explained_callers(surprise, np.ones(3, bool), owners, viewers, CALLS)

    assert not found.any()


def test_beyond_reach_is_what_the_entry_does_not_depend_on():
    assert entry(np.array([2.0, 0.0, 0.0, 1.0, 9.0]), CALLS) == 0
    assert beyond_reach(0, CALLS, 5).tolist() == [False, False, False, True, False]


def test_a_call_graph_without_an_entry_has_none():
    assert entry(np.zeros(2), np.array([[0, 1], [1, 0]])) is None
    assert entry(np.zeros(2), np.empty((0, 2), dtype=int)) is None
