"""Rows of an earlier incident tell nothing of what is normal."""

from dataclasses import replace

import numpy as np

from rootward.model.incident import Incident, Severity, Status
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.ports import Platform
from rootward_worker.windows import without_earlier

STEP = 15.0
SERIES = Series.of("latency_seconds", "cart")
WINDOW = Window((SERIES,), STEP * np.arange(1.0, 121.0), np.ones((120, 1)), STEP, 100)


def _incident(name: str, first_row: int, last_row: int) -> Incident:
    onset, ended = float(WINDOW.times[first_row]), float(WINDOW.times[last_row])
    return Incident(
        name, "default", onset, onset, SERIES, (), "cart is slow", Severity.WARNING,
        Status.RESOLVED, last_change_unix=ended, resolved_unix=ended + 5 * STEP,
    )  # fmt: skip


def _now() -> Incident:
    return replace(_incident("now", 100, 119), status=Status.OPEN, resolved_unix=None)


def test_they_are_left_out_of_the_baseline_and_that_is_said(fake_platform: Platform):
    fake_platform.incidents.open(_incident("before", 50, 60))
    fake_platform.incidents.open(_now())

    window, words = without_earlier(fake_platform, _now(), WINDOW)

    missing = np.flatnonzero(np.isnan(window.values[:, 0]))
    assert missing.tolist() == list(range(48, 63))
    assert "15 rows" in words[0]


def test_they_stay_where_too_little_else_is_known(fake_platform: Platform):
    fake_platform.incidents.open(_incident("before", 10, 90))

    window, words = without_earlier(fake_platform, _now(), WINDOW)

    assert window is WINDOW
    assert "holds rows of earlier incidents" in words[0]


def test_the_rows_of_the_incident_itself_are_never_touched(fake_platform: Platform):
    fake_platform.incidents.open(_incident("before", 80, 119))

    window, _ = without_earlier(fake_platform, _now(), WINDOW)

    assert np.isfinite(window.values[98:]).all()


def test_without_earlier_incidents_nothing_changes(fake_platform: Platform):
    assert without_earlier(fake_platform, _now(), WINDOW) == (WINDOW, ())
