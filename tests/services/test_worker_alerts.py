"""Alerts and incidents: who opens, who joins, who closes; and what was done just before."""

import dataclasses

import numpy as np
import pytest

from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.incident import Incident, Severity, Status
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock
from rootward_worker import alarms
from rootward_worker.detect import Detector
from rootward_worker.jobs import handlers
from tests.services.test_worker import (
    OPTIONS,
    SERVICES,
    START,
    STEP,
    every_incident,
    feed,
    recording,
    served,
    slow,
)

AT = START + 84 * STEP
"""When an alert begins in these recordings."""


@pytest.fixture(autouse=True)
def _serve(fake_platform: Platform) -> None:
    fake_platform.jobs.serve(lambda: handlers(fake_platform, OPTIONS))


def fire(
    platform: Platform, service: str, fingerprint: str = "f", *, severity: str = "", at: float = AT
) -> Alert:
    """A firing alert, stored and seen to."""
    labels = (("alertname", "Slow"), ("service", service), ("severity", severity or "warning"))
    alert = Alert(
        "default",
        fingerprint,
        at,
        AlertStatus.FIRING,
        service,
        labels,
        (("summary", "p99 over 1 s"),),
        seen_unix=at,
    )
    return tell(platform, alert)


def end(platform: Platform, alert: Alert, after: float = 300.0) -> Alert:
    """The end of an alert, stored and seen to."""
    ends = alert.starts_unix + after
    resolved = dataclasses.replace(
        alert, status=AlertStatus.RESOLVED, ends_unix=ends, seen_unix=ends
    )
    return tell(platform, resolved)


def tell(platform: Platform, alert: Alert) -> Alert:
    (known,) = platform.alerts.put([alert])
    alarms.alerts(platform, OPTIONS, keys=[known.key], status=known.status.value)
    return platform.alerts.get(known.key)


def of(platform: Platform, alert: Alert) -> Incident:
    return platform.incidents.get(alert.incident_id)


def test_a_firing_alert_opens_an_incident_and_asks_for_its_diagnosis(
    fake_platform: Platform, clock: ManualClock
):
    clock.set(AT + 20)
    alert = fire(fake_platform, "cart", severity="critical")
    (incident,) = every_incident(fake_platform)
    assert alert.opened
    assert incident.id == alert.incident_id
    assert (incident.symptom.service, incident.severity) == ("cart", Severity.CRITICAL)
    assert incident.title == "cart: Slow fires (p99 over 1 s)"
    assert (incident.onset_unix, incident.opened_unix) == (AT, AT + 20)
    assert isinstance(fake_platform.jobs, FakeJobs)
    ends = [job.payload["end_unix"] for job in fake_platform.jobs.waiting]
    assert [round((end - AT) / STEP) for end in ends] == [1, 14]


def test_the_same_alert_seen_to_twice_opens_one_incident(fake_platform: Platform):
    alert = fire(fake_platform, "cart")
    alarms.alerts(fake_platform, OPTIONS, keys=[alert.key], status="firing")
    assert len(every_incident(fake_platform)) == 1


def test_alerts_of_one_service_join_and_of_another_open_their_own(fake_platform: Platform):
    first = fire(fake_platform, "cart")
    second = fire(fake_platform, "cart", "g", at=AT + 100)
    other = fire(fake_platform, "stock", "h")
    assert (second.incident_id, second.opened) == (first.incident_id, False)
    assert other.incident_id != first.incident_id


def test_an_incident_closes_with_the_last_alert_and_not_before(fake_platform: Platform):
    first, second = fire(fake_platform, "cart"), fire(fake_platform, "cart", "g")
    end(fake_platform, first, 200.0)
    assert of(fake_platform, first).status is Status.OPEN
    end(fake_platform, second, 300.0)
    closed = of(fake_platform, first)
    assert (closed.status, closed.resolved_unix) == (Status.RESOLVED, AT + 300)


def test_an_alert_that_ended_before_its_turn_leaves_one_closed_incident(fake_platform: Platform):
    alert = Alert("default", "f", AT, AlertStatus.FIRING, "cart", (("service", "cart"),))
    ended = dataclasses.replace(alert, status=AlertStatus.RESOLVED, ends_unix=AT + 9)
    fake_platform.alerts.put([alert])
    fake_platform.alerts.put([ended])
    for status in ("firing", "resolved"):
        alarms.alerts(fake_platform, OPTIONS, keys=[alert.key], status=status)
    (incident,) = every_incident(fake_platform)
    assert (incident.status, incident.resolved_unix) == (Status.RESOLVED, AT + 9)


def test_an_alert_joins_the_incident_of_the_detector_and_does_not_close_it(
    fake_platform: Platform, clock: ManualClock
):
    feed(Detector(fake_platform, OPTIONS), recording(90, slow("cart", 80, 90)), clock)
    alert = fire(fake_platform, "cart")
    (incident,) = every_incident(fake_platform)
    assert (alert.incident_id, alert.opened) == (incident.id, False)
    end(fake_platform, alert)
    assert of(fake_platform, alert).status is Status.OPEN


def test_the_detector_joins_the_incident_of_an_alert_and_leaves_its_end_to_it(
    fake_platform: Platform, clock: ManualClock
):
    columns = recording(140, slow("cart", 84, 100))
    detector = Detector(fake_platform, OPTIONS)
    feed(detector, {s: v[:84] for s, v in columns.items()}, clock)
    alert = fire(fake_platform, "cart")
    feed(detector, columns, clock)
    (incident,) = every_incident(fake_platform)
    assert (incident.status, incident.services) == (Status.OPEN, ("cart",))
    end(fake_platform, alert, 17 * STEP)
    assert of(fake_platform, alert).status is Status.RESOLVED


def test_an_alert_that_fires_for_long_does_not_hide_a_fault_elsewhere(
    fake_platform: Platform, clock: ManualClock
):
    chronic = fire(fake_platform, "stock", at=START)
    feed(Detector(fake_platform, OPTIONS), recording(90, slow("cart", 80, 90)), clock)
    found, alerted = every_incident(fake_platform)
    assert (found.symptom.service, alerted.id) == ("cart", chronic.incident_id)
    assert alerted.status is Status.OPEN


def test_an_alert_that_only_informs_opens_nothing(fake_platform: Platform):
    assert fire(fake_platform, "cart", severity="none").incident_id == ""
    assert every_incident(fake_platform) == []


def test_an_alert_nobody_speaks_of_any_more_does_not_stay_open(
    fake_platform: Platform, clock: ManualClock
):
    alert = fire(fake_platform, "cart")
    clock.set(AT + alarms.STALE_SECONDS - 1.0)
    alarms.end_stale(fake_platform)
    assert of(fake_platform, alert).status is Status.OPEN
    clock.advance(2.0)
    alarms.end_stale(fake_platform)
    assert of(fake_platform, alert).status is Status.RESOLVED


def test_an_alert_without_any_samples_ends_in_a_reason_and_not_in_a_crash(
    fake_platform: Platform, clock: ManualClock
):
    clock.set(AT)
    alert = fire(fake_platform, "cart")
    assert isinstance(fake_platform.jobs, FakeJobs)
    fake_platform.jobs.run_all()
    assert "no sample" in fake_platform.incidents.failure(alert.incident_id)


def test_an_alert_brings_a_diagnosis_that_names_the_broken_service(
    fake_platform: Platform, clock: ManualClock
):
    def quietly(values: np.ndarray, _: np.random.Generator) -> None:
        values[84:, SERVICES.index("cart"), 3] *= 4  # a busy CPU opens nothing by itself

    feed(Detector(fake_platform, OPTIONS), recording(100, quietly), clock)
    assert every_incident(fake_platform) == []
    alert = fire(fake_platform, "cart", at=START + 86 * STEP)
    assert isinstance(fake_platform.jobs, FakeJobs)
    fake_platform.jobs.run_all()
    diagnosis = fake_platform.incidents.diagnosis(alert.incident_id)
    assert diagnosis is not None
    assert diagnosis.candidates[0].service == "cart"


def deploy(service: str, at: float, ident: str = "1") -> ChangeEvent:
    return ChangeEvent("default", "/ci", ident, at, ChangeKind.DEPLOY, service, f"{service} v2")


def test_a_deploy_just_before_the_onset_is_evidence_and_others_are_not(
    fake_platform: Platform, clock: ManualClock
):
    onset = START + 80 * STEP
    fake_platform.change_events.put(
        [
            deploy("cart", onset - 120, "just before"),
            deploy("cart", onset - 7200, "long ago"),
            deploy("cart", onset + 600, "afterwards"),
            deploy("stock", onset - 60, "elsewhere"),
        ]
    )
    fresh = dataclasses.replace(fake_platform, jobs=FakeJobs(clock))
    incident = served(fresh, clock, recording(130, slow("cart", 80, 110)))
    diagnosis = fresh.incidents.diagnosis(incident.id)
    assert diagnosis is not None
    told = [e for e in diagnosis.candidates[0].evidence if e.kind == "change"]
    assert [(round(e.value or 0.0) // 60, e.unit) for e in told] == [(2, "s")]
    assert told[0].text.startswith("cart was deployed at")
    stock = next(c for c in diagnosis.candidates if c.service == "stock")
    assert any(e.kind == "change" for e in stock.evidence)


def test_a_deploy_changes_no_rank(fake_platform: Platform, clock: ManualClock):
    columns = recording(130, slow("cart", 80, 110))
    bare = dataclasses.replace(fake_platform, jobs=FakeJobs(clock))
    incident = served(bare, clock, columns)
    before = bare.incidents.diagnosis(incident.id)
    bare.change_events.put([deploy("stock", START + 79 * STEP)])
    handlers(bare, OPTIONS)["diagnose"](incident_id=incident.id)
    after = bare.incidents.diagnosis(incident.id)
    assert before is not None
    assert after is not None
    assert [c.service for c in after.candidates] == [c.service for c in before.candidates]
    assert after.confidence == before.confidence
