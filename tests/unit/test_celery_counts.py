"""What children of Celery workers count is in the metrics of the process that started them."""

from __future__ import annotations

import fcntl
import multiprocessing
import re
from collections.abc import Callable

import pytest

from rootward import telemetry
from rootward.adapters.celery_counts import Relay

BOUND_SECONDS = 60.0


def in_a_child(work: Callable[[], object]) -> None:
    """Do it in a process that was forked from this one."""
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(BOUND_SECONDS)
    assert child.exitcode == 0


def shown(line: str) -> float:
    """The number in /metrics behind the name and the labels of a sample."""
    body, _ = telemetry.exposition()
    found = re.search(rf"^{re.escape(line)} (\S+)$", body.decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.fixture
def relay() -> Relay:
    return Relay()


def test_what_children_count_is_added_to_what_we_count_ourselves(relay: Relay):
    def work() -> None:
        with relay.counting():
            telemetry.DIAGNOSES.labels("ok").inc()
            telemetry.DIAGNOSES.labels("made by a child").inc(2)
            telemetry.DIAGNOSIS_SECONDS.observe(2.0)

    ok = 'rootward_diagnoses_total{outcome="ok"}'
    buckets = [f'rootward_diagnosis_duration_seconds_bucket{{le="{le}"}}' for le in ("1.0", "3.0")]
    telemetry.DIAGNOSES.labels("ok").inc()
    before = [shown(one) for one in (ok, *buckets)]
    for _ in range(3):
        in_a_child(work)
    relay.hear()
    relay.close()

    assert [shown(one) for one in (ok, *buckets)] == [before[0] + 3, before[1], before[2] + 3]
    assert shown('rootward_diagnoses_total{outcome="made by a child"}') == 6
    assert shown("rootward_diagnosis_duration_seconds_count") >= 3


def test_a_pipe_that_nobody_reads_holds_up_no_job_and_loses_nothing(relay: Relay):
    fcntl.fcntl(relay._writing, fcntl.F_SETPIPE_SZ, 4096)
    for _ in range(100):  # more lines than it takes
        with relay.counting():
            telemetry.ANALYSES.labels("while nobody read").inc()
    relay.hear()
    with relay.counting():
        telemetry.ANALYSES.labels("while nobody read").inc()
    relay.close()

    ours, told = 101, 101  # here both are one process
    assert shown('rootward_analyses_total{outcome="while nobody read"}') == ours + told
