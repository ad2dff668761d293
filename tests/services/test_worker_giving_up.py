"""A job that was given up on says so where people wait for it."""

from __future__ import annotations

from rootward.model.incident import Incident, Severity
from rootward.model.run import DiagnosisRun, RunState
from rootward.model.series import Series
from rootward.ports import DEFAULT_TENANT, Platform
from rootward_worker.jobs import handlers
from rootward_worker.options import WorkerOptions

REASON = "stopped after 600 s, the most that such a job may take"
RUN = DiagnosisRun("run1", DEFAULT_TENANT, "kim", 0.0, 10.0, 20.0)
INCIDENT = Incident(
    id="id0",
    tenant=DEFAULT_TENANT,
    onset_unix=0.0,
    opened_unix=0.0,
    symptom=Series.of("latency", "shop"),
    changes=(),
    title="shop: latency",
    severity=Severity.WARNING,
)


def tell(platform: Platform, job: str, **payload: object) -> None:
    handlers(platform, WorkerOptions())["given_up"](job=job, reason=REASON, payload=payload)


def test_an_incident_says_why_it_has_no_diagnosis(fake_platform: Platform):
    fake_platform.incidents.open(INCIDENT)
    tell(fake_platform, "diagnose", incident_id="id0")

    assert fake_platform.incidents.failure("id0") == REASON


def test_an_analysis_says_why_it_failed(fake_platform: Platform):
    fake_platform.incidents.open(INCIDENT)
    tell(fake_platform, "analyse", incident_id="id0", method="robust_z", params={"window": 7})

    (analysis,) = fake_platform.results.of("id0")
    assert (analysis.method, analysis.parameters) == ("robust_z", '{"window":7}')
    assert (analysis.status, analysis.reason) == ("failed", REASON)


def test_a_run_that_somebody_asked_for_says_why_it_failed(fake_platform: Platform):
    fake_platform.runs.put(RUN)
    tell(fake_platform, "explain", run_id="run1")

    run = fake_platform.runs.get("run1")
    assert (run.state, run.reason) == (RunState.FAILED, REASON)


def test_what_has_gone_meanwhile_and_what_nobody_waits_for_is_left(fake_platform: Platform):
    tell(fake_platform, "diagnose", incident_id="gone")
    tell(fake_platform, "expire")

    assert fake_platform.incidents.page().items == ()
