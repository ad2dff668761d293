"""Slow leaks and announced work, as the detector sees them."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.incident import Incident, Severity, Status
from rootward.model.series import Series
from rootward.model.window import Window
from rootward_worker.leaks import leaks
from rootward_worker.maintenance import demoted

START, STEP, ROWS = 1.7e9, 15.0, 240
MEMORY = Series.of("process_resident_memory_bytes", "cart")
TRAFFIC = Series.of("http_requests_rate", "cart")


def _frame(**columns: np.ndarray) -> Window:
    series = {"memory": MEMORY, "traffic": TRAFFIC}
    values = np.column_stack(list(columns.values()))
    times = START + STEP * np.arange(len(values))
    return Window(tuple(series[name] for name in columns), times, values, STEP)


def _noisy(values: np.ndarray) -> np.ndarray:
    return values * (1 + 0.02 * np.random.default_rng(1).standard_normal(len(values)))


def test_a_slow_leak_is_found_though_it_never_departs_from_its_last_rows():
    (found,) = leaks(_frame(memory=_noisy(np.linspace(4e8, 8e8, ROWS))))
    assert found.series == MEMORY
    assert found.harmful
    assert ROWS // 2 < found.onset < ROWS


@pytest.mark.parametrize(
    "values",
    [
        np.full(ROWS, 4e8),
        4e8 + 4e8 * (np.arange(ROWS) % 60) / 60,
        4e8 * (2 - np.exp(-np.arange(ROWS) / 40)),
        np.linspace(4e8, 5e8, ROWS),
    ],
    ids=["steady", "sawtooth", "a cache that fills", "too little"],
)
def test_what_is_no_leak_is_not_called_one(values):
    assert leaks(_frame(memory=_noisy(values))) == ()


def test_what_rises_for_less_than_an_hour_is_no_leak_yet():
    frame = _frame(memory=_noisy(np.linspace(4e8, 8e8, ROWS)))
    assert leaks(replace(frame, times=START + 5 * np.arange(ROWS), step_seconds=5.0)) == ()


def test_gaps_in_a_leak_do_not_hide_it():
    values = _noisy(np.linspace(4e8, 8e8, ROWS))
    values[::9] = np.nan
    assert len(leaks(_frame(memory=values))) == 1


def test_memory_that_grows_with_the_traffic_is_no_leak():
    rising = np.linspace(1.0, 2.0, ROWS)
    frame = _frame(memory=_noisy(4e8 * rising), traffic=_noisy(50 * rising))
    assert leaks(frame) == ()


def test_what_rises_in_many_services_at_once_is_no_leak():
    rising = _noisy(np.linspace(4e8, 8e8, ROWS))
    series = tuple(Series.of(MEMORY.metric, service) for service in ("a", "b", "c"))
    times = START + STEP * np.arange(ROWS)
    frame = Window(series, times, np.column_stack([rising] * 3), STEP)
    assert leaks(frame) == ()
    assert len(leaks(frame.select([0, 1]))) == 2


def _announced(service: str = "cart", minutes: str = "30", kind: str = "com.acme.maintenance"):
    return ChangeEvent(
        "default", "/ops", "1", START, ChangeKind.OTHER, service, "new disks", kind,
        details=(("minutes", minutes),),
    )  # fmt: skip


def _incident(after_minutes: float) -> Incident:
    opened = START + 60 * after_minutes
    return Incident(
        "i", "default", opened, opened, TRAFFIC, (), "cart stopped", Severity.CRITICAL, Status.OPEN
    )


@pytest.mark.parametrize("event", [_announced(), _announced(service="")])
def test_announced_work_demotes_an_incident_and_does_not_hide_it(event):
    found = demoted(_incident(10), [event])
    assert found.severity is Severity.INFO
    assert found.title == "cart stopped (during maintenance)"
    assert demoted(found, [event]) == found


@pytest.mark.parametrize(
    ("minutes", "event"),
    [
        (40, _announced()),
        (10, _announced(service="payment")),
        (10, _announced(kind="com.acme.deploy")),
        (61, _announced(minutes="soon")),
    ],
    ids=["it is over", "another service", "a deploy", "an hour where nothing is said"],
)
def test_other_incidents_keep_their_severity(minutes, event):
    assert demoted(_incident(minutes), [event]).severity is Severity.CRITICAL
