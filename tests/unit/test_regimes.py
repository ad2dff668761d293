import numpy as np

from rootward.numerics.regimes import regime_rows, regimes

TIMES = 1000.0 + 5.0 * np.arange(100)


def test_a_regime_begins_at_the_first_row_of_a_change():
    label = regimes(TIMES, [TIMES[40], TIMES[70]], least_rows=10)

    assert [rows[[0, -1]].tolist() for rows in regime_rows(label)] == [[0, 39], [40, 69], [70, 99]]


def test_one_change_that_many_series_show_a_little_later_is_one_boundary():
    label = regimes(TIMES, [TIMES[43], TIMES[40], TIMES[41] + 1.0], least_rows=10)

    assert label.tolist() == [0] * 40 + [1] * 60


def test_changes_outside_of_the_rows_make_no_regime():
    assert regimes(TIMES, [0.0, TIMES[3], TIMES[-1] + 60.0], least_rows=10).tolist() == [0] * 100
