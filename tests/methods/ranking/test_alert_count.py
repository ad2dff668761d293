"""Alert counting: the number of a service's series out of their three-sigma band."""

import numpy as np

from rootward.methods.ranking.alert_count import AlertCount
from rootward.model.case import Case
from rootward.model.series import Series
from rootward.model.window import Window


def _case() -> Case:
    """Two of b's three series jump, one of a's two; a's jump is the largest."""
    names = ("a|cpu", "a|memory", "b|cpu", "b|memory", "b|latency")
    values = np.random.default_rng(0).normal(size=(60, 5))
    values[50:, 0] += 500
    values[50:, 2:4] += 20
    series = tuple(Series.from_column(n) for n in names)
    return Case(Window(series, np.arange(60.0), values, 1.0, 50))


def test_the_service_with_more_alerts_stands_first_however_large_they_are():
    assert AlertCount().service_scores(_case()) == {"a": 1.0, "b": 2.0}


def test_a_series_counts_once():
    assert AlertCount().scores(_case()).tolist() == [1, 0, 1, 1, 0]


def test_rounding_does_not_decide_whether_three_deviations_are_an_alert():
    before = np.where(np.arange(100)[:, None] % 10 == 0, np.arange(1.0, 41.0) / 7, 0.0)
    window = Window(
        tuple(Series.of("cpu", f"s{k}") for k in range(40)),
        np.arange(110.0),
        np.vstack([before, before[:10]]),
        1.0,
        100,
    )
    assert AlertCount().scores(Case(window)).tolist() == [0.0] * 40
