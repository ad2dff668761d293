"""The graphs of services are kept by a job: from samples to versions and notices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.graph_version import GraphVersion, Reason
from rootward.model.incident import Change, Incident, Status
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock
from rootward_worker.graphs import keep_graphs, named
from rootward_worker.jobs import handlers
from rootward_worker.options import WorkerOptions
from rootward_worker.start import start_jobs

STEP, START, ROWS = 15.0, 1_700_000_010.0, 250
OPTIONS = WorkerOptions(step_seconds=STEP, window_rows=ROWS)
SERIES = (
    Series.of("latency_seconds", "cart"),
    Series.of("queue_length", "cart"),
    Series.of("latency_seconds", "stock"),
)
LATENCY, QUEUE, STOCK = SERIES
END = START + 3 * ROWS * STEP


def _values(cause: int, seed: int) -> np.ndarray:
    """Rows in which the latency of cart follows one of the other two a row later."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((ROWS, 3))
    values = np.zeros((ROWS, 3))
    for t in range(1, ROWS):
        values[t] = 0.4 * values[t - 1] + noise[t]
        values[t, 0] += 1.5 * values[t - 1, cause]
    return 20 + values


def _send(platform: Platform, values: np.ndarray, first: int) -> None:
    times = START + STEP * (first + np.arange(len(values)))
    index = np.tile(np.arange(3), len(values))
    platform.samples.append(
        SampleBatch("default", SERIES, index, np.repeat(times, 3), values.ravel())
    )


def _look(platform: Platform, clock: ManualClock, rows: int) -> tuple[GraphVersion, ...]:
    clock.set(START + rows * STEP)
    keep_graphs(platform, OPTIONS)
    return platform.graphs.history("cart")


def _incident(status: Status = Status.OPEN) -> Incident:
    onset = START + 1.5 * ROWS * STEP
    change = Change(LATENCY, onset, 9.0, 20.0, 80.0)
    return Incident(
        "x", "default", onset, onset + 30, LATENCY, (change,), "cart is slow", status=status,
        last_change_unix=onset + 60, resolved_unix=None if status is Status.OPEN else onset + 90,
    )  # fmt: skip


@pytest.fixture
def drifting(fake_platform: Platform) -> Platform:
    """Cart's latency follows its queue, and from a deploy on that of stock."""
    _send(fake_platform, _values(1, seed=1), 0)
    _send(fake_platform, _values(2, seed=2), ROWS)
    deploy = ChangeEvent(
        "default", "argo", "7", START + ROWS * STEP, ChangeKind.DEPLOY, "cart", "1.4"
    )
    fake_platform.change_events.put([deploy])
    return fake_platform


def test_a_first_version_is_learnt_and_then_held(fake_platform: Platform, clock: ManualClock):
    rng_rows = _values(1, seed=1)
    _send(fake_platform, rng_rows, 0)
    (first,) = _look(fake_platform, clock, ROWS)
    assert (first.number, first.reason) == (1, Reason.FIRST)
    assert (QUEUE, LATENCY) in {(e.cause, e.effect) for e in first.graph.edges}
    assert {e.effect.service for e in first.graph.edges} == {"cart"}
    _send(fake_platform, _values(1, seed=3), ROWS)
    (same,) = _look(fake_platform, clock, 2 * ROWS)
    assert same.graph == first.graph
    assert same.held_until_unix > first.held_until_unix


def test_drift_after_a_deploy_is_a_version_and_a_notice(drifting: Platform, clock: ManualClock):
    (first,) = _look(drifting, clock, ROWS)
    second, _ = _look(drifting, clock, 2 * ROWS)
    assert (second.number, second.reason) == (2, Reason.STRUCTURE)
    assert second.relearnt == (LATENCY,)
    others = [e for e in first.graph.edges if e.effect != LATENCY]
    assert [e for e in second.graph.edges if e.effect != LATENCY] == others
    (notice,) = second.notices
    assert notice.event_id == "7"
    assert "no longer follows queue_length" in notice.text
    assert "now follows stock|latency_seconds with lag 15 s" in notice.text
    assert drifting.graphs.noticed().items == (second,)
    assert len(_look(drifting, clock, 2 * ROWS)) == 2, "the same rows make no further version"


def test_nothing_is_learnt_while_an_incident_is_open(drifting: Platform, clock: ManualClock):
    assert len(_look(drifting, clock, ROWS)) == 1
    drifting.incidents.open(_incident())
    assert len(_look(drifting, clock, 2 * ROWS)) == 1


def test_after_an_incident_the_drift_is_kept_but_is_no_notice(
    drifting: Platform, clock: ManualClock
):
    _look(drifting, clock, ROWS)
    drifting.incidents.open(_incident(Status.RESOLVED))
    assert len(_look(drifting, clock, 2 * ROWS - 60)) == 1, "too few quiet rows since"
    _send(drifting, _values(2, seed=4), 2 * ROWS)
    second, _ = _look(drifting, clock, 3 * ROWS)
    assert (second.relearnt, second.notices) == ((LATENCY,), ())


def test_the_version_that_an_incident_names_is_kept(drifting: Platform, clock: ManualClock):
    (first,) = _look(drifting, clock, ROWS)
    for number in range(2, 30):
        drifting.graphs.put(replace(first, number=number, created_unix=END))
    named(drifting, _incident())
    handlers(drifting, OPTIONS)["expire"]()
    kept = [one.number for one in drifting.graphs.history("cart")]
    assert (len(kept), kept[-1]) == (21, 1)


def test_the_job_recurs_unless_it_is_switched_off(fake_platform: Platform, clock: ManualClock):
    jobs = FakeJobs(clock)
    start_jobs(jobs, lambda: fake_platform, OPTIONS)
    assert "graphs" in jobs.recurring
    off = replace(OPTIONS, graphs_seconds=0.0)
    jobs = FakeJobs(clock)
    start_jobs(jobs, lambda: fake_platform, off)
    assert "graphs" not in jobs.recurring
    _send(fake_platform, _values(1, seed=1), 0)
    clock.set(START + ROWS * STEP)
    keep_graphs(fake_platform, off)
    assert fake_platform.graphs.current("cart") is None
