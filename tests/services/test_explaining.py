"""A stretch of time that is no incident, diagnosed by the worker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rootward.model.run import DiagnosisRun, RunState
from rootward.model.series import SampleBatch
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward.testing.incidents import planted_incident
from rootward_worker.explaining import PROVISIONAL, explain
from rootward_worker.options import WorkerOptions

OPTIONS = WorkerOptions(step_seconds=15.0, window_rows=360, discovery="ridge_granger")


@pytest.fixture(scope="module")
def planted():
    return planted_incident("chain", seed=1)


@pytest.fixture
def asked(platform: Platform, clock: ManualClock, planted) -> DiagnosisRun:
    window = planted.window
    end = 1_700_000_000.0 - 1_700_000_000.0 % 15
    times = end - 15.0 * np.arange(len(window.times) - 1, -1, -1)
    rows, columns = np.nonzero(np.isfinite(window.values))
    platform.samples.append(
        SampleBatch(
            "default", window.series, columns.astype(np.int32), times[rows],
            window.values[rows, columns],
        )
    )  # fmt: skip
    clock.set(end)
    run = DiagnosisRun("r", "default", "kim", end, times[window.onset], end)
    platform.runs.put(run)
    return run


def test_it_names_the_planted_cause_step_by_step(platform: Platform, asked: DiagnosisRun, planted):
    explain(platform, OPTIONS, run_id="r")

    run = platform.runs.get("r")
    assert run.state is RunState.READY
    assert run.diagnosis is not None
    assert run.diagnosis.candidates[0].service == planted.cause.service
    assert [step.name for step in run.steps] == [
        "window", "frame", "onset", "graph", "ranking", "evidence",
    ]  # fmt: skip
    assert len(run.provisional) == PROVISIONAL
    assert planted.cause.service in [one.service for one in run.provisional]


def test_what_was_called_off_is_not_answered(platform: Platform, asked: DiagnosisRun):
    platform.runs.revise("r", lambda run: replace(run, state=RunState.CANCELLED))
    explain(platform, OPTIONS, run_id="r")
    run = platform.runs.get("r")
    assert (run.state, run.diagnosis, run.steps) == (RunState.CANCELLED, None, ())


def test_a_stretch_without_samples_fails_with_the_reason(platform: Platform, asked: DiagnosisRun):
    platform.runs.put(replace(asked, id="other", services=("nobody",)))
    explain(platform, OPTIONS, run_id="other")
    run = platform.runs.get("other")
    assert run.state is RunState.FAILED
    assert "sample" in run.reason
