"""Which series the methods that compare before and after look at."""

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.discovery.departed import departed
from rootward.model.series import Series
from rootward.model.window import Window

ONSET, ROWS = 60, 80


def _window(*others: np.ndarray) -> Window:
    rng = np.random.default_rng(0)
    moved = rng.normal(50.0, 1.0, ROWS) + np.where(np.arange(ROWS) >= ONSET, 20.0, 0.0)
    felt = moved + rng.normal(0.0, 3.0, ROWS)
    columns = (moved, felt, *others)
    series = tuple(Series.of("latency_mean", f"s{k}") for k in range(len(columns)))
    times = 1_700_000_000 + 15.0 * np.arange(ROWS)
    return Window(series, times, np.column_stack(columns), 15.0, ONSET)


def test_a_series_that_is_constant_where_all_were_measured_is_left_out_and_named():
    missing = np.arange(ROWS) % 5 < 2
    seldom = np.random.default_rng(1).normal(5.0, 1.0, ROWS)
    seldom[ONSET:] += 40.0
    stepped = np.where(missing, np.random.default_rng(2).normal(7.0, 1.0, ROWS), 7.0)
    stepped[ONSET:] += 30.0 * missing[ONSET:]
    seldom[missing] = np.nan

    found = departed(_window(seldom, stepped), 4)

    assert np.isfinite(found.values).all()
    assert found.dropped["s3|latency_mean"] == "constant where the others were measured"


def test_one_series_alone_is_not_enough():
    window = _window()
    with pytest.raises(InsufficientData, match="two series"):
        departed(window.select([0]), 4)
