"""The webhook of Alertmanager: what is stored, what is answered, what the workers are told."""

import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from rootward.errors import Busy, Unavailable
from rootward.model.alert import AlertStatus
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, fake_platform
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
from tests.services.alert_messages import NOW, alert, notification, notify, resolved


@pytest.fixture
def jobs(fake_platform: Platform) -> FakeJobs:
    assert isinstance(fake_platform.jobs, FakeJobs)
    return fake_platform.jobs


def truncated() -> float:
    return REGISTRY.get_sample_value("rootward_alerts_total", {"status": "truncated"}) or 0.0


def test_a_firing_alert_is_stored_and_handed_to_the_workers(
    client: TestClient, fake_platform: Platform, jobs: FakeJobs
):
    answer = client.post("/api/v1/alerts", json=notification(alert()))
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "truncated": 0})
    (stored,) = fake_platform.alerts.page().items
    assert (stored.name, stored.service, stored.status) == ("HighLatency", "cart", "firing")
    assert (stored.starts_unix, stored.ends_unix) == (NOW - 52.7, None)
    assert stored.summary == "p99 is over 1 s"
    (job,) = jobs.waiting
    assert (job.name, job.payload["keys"], job.payload["status"]) == (
        "alerts",
        [stored.key],
        "firing",
    )


def test_a_repeat_is_a_sign_of_life_and_no_second_alert(
    client: TestClient, fake_platform: Platform
):
    notify(client, alert())
    fake_platform.clock.advance(240.0)
    notify(client, alert())
    (stored,) = fake_platform.alerts.page().items
    assert stored.seen_unix == NOW + 240


def test_an_end_is_stored_with_its_time(client: TestClient, fake_platform: Platform):
    notify(client, alert())
    notify(client, resolved(alert()))
    (stored,) = fake_platform.alerts.page().items
    assert (stored.status, stored.ends_unix) == (AlertStatus.RESOLVED, NOW + 247.3)


def test_one_notification_may_hold_ends_and_beginnings(client: TestClient, jobs: FakeJobs):
    other = alert(fingerprint="b", labels={"alertname": "X", "service": "shop"})
    notify(client, resolved(alert()), other)
    assert [(job.payload["status"], len(job.payload["keys"])) for job in jobs.waiting] == [
        ("firing", 1)
    ]


def test_an_alert_without_a_service_is_kept_and_opens_nothing(
    client: TestClient, fake_platform: Platform, jobs: FakeJobs
):
    notify(client, alert(labels={"alertname": "Watchdog", "severity": "none"}))
    assert fake_platform.alerts.page().items[0].service == ""
    assert not jobs.waiting


def test_truncated_alerts_are_counted_and_told(client: TestClient):
    before = truncated()
    answer = client.post("/api/v1/alerts", json=notification(alert(), truncatedAlerts=7))
    assert answer.json() == {"accepted": 1, "truncated": 7}
    assert truncated() == before + 7


def test_older_and_kindred_senders_are_understood(client: TestClient, fake_platform: Platform):
    bare = {"version": "4", "alerts": [{k: v for k, v in alert().items() if k != "fingerprint"}]}
    assert client.post("/api/v1/alerts", json=bare).status_code == 200
    grafana = {"version": "1", "orgId": 1, "title": "x", "alerts": [alert(values={"B": 2.1})]}
    assert client.post("/api/v1/alerts", json=grafana).status_code == 200
    first, second = fake_platform.alerts.page().items
    assert {len(first.fingerprint), len(second.fingerprint)} == {16}
    assert first.fingerprint != second.fingerprint


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "expected Alertmanager's webhook payload"),
        (b"[]", "expected Alertmanager's webhook payload"),
        (b'{"text": "something is on fire"}', "/version"),
        (json.dumps(notification(alert(), version="5")).encode(), "/version: '5'"),
        (json.dumps(notification(alert(status="pending"))).encode(), "/alerts/0/status"),
        (json.dumps(notification(alert(startsAt="yesterday"))).encode(), "/alerts/0/startsAt"),
        (json.dumps(notification(alert(startsAt="2023-11-14T22:12:27"))).encode(), "offset"),
        (json.dumps(notification(alert(labels=["a"]))).encode(), "/alerts/0/labels"),
        (json.dumps(notification(alert(fingerprint="x" * 129))).encode(), "fingerprint"),
    ],
)
def test_a_payload_of_another_form_is_400_with_the_place(
    sent: bytes, told: str, client: TestClient, fake_platform: Platform
):
    answer = client.post(
        "/api/v1/alerts", content=sent, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert told in answer.json()["detail"]
    assert fake_platform.alerts.page().items == ()


def test_another_kind_of_body_is_415(client: TestClient):
    answer = client.post("/api/v1/alerts", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("error", [Busy("full", 7.0), Unavailable("gone")])
def test_an_outage_is_503_for_the_sender_to_come_again(error: Exception, platform: Platform):
    class Refusing(FakeJobs):
        def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: object) -> None:
            raise error

    refusing = replace(platform, jobs=Refusing(platform.clock))
    client = TestClient(create_app(refusing, Limits()))
    answer = client.post("/api/v1/alerts", json=notification(alert()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    again = TestClient(create_app(platform, Limits()))
    notify(again, alert())
    assert len(platform.alerts.page().items) == 1
    assert platform.jobs.backlog() == 1


texts = st.text(max_size=6) | st.sampled_from(["\0", "0001-01-01T00:00:00Z", "service"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
alerts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["firing", "resolved", "lost"]),
        "labels": st.dictionaries(texts, texts, max_size=3) | values,
        "startsAt": st.sampled_from(["2023-11-14T22:12:27.123456789Z", "x"]) | values,
    },
    optional={"endsAt": texts, "fingerprint": texts, "annotations": values, "new": values},
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150, deadline=None)
@given(st.fixed_dictionaries({"version": st.just("4"), "alerts": st.lists(alerts) | values}))
def test_whatever_is_sent_is_taken_or_refused_with_a_reason(payload: dict[str, object]):
    platform = fake_platform()
    client = TestClient(create_app(platform, Limits()))
    answer = client.post("/api/v1/alerts", json=payload)
    assert answer.status_code in (200, 400)
    kept = platform.alerts.page(limit=500).items
    assert bool(kept) <= (answer.status_code == 200)
    assert not any("\0" in text for a in kept for pair in a.labels for text in pair)
