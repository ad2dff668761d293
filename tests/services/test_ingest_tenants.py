"""Tenants: told apart by a header, each with limits and a quota of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from rootward.errors import OverQuota
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_ingest.app import create_app
from rootward_ingest.intake import Intake, Limits
from rootward_ingest.tenants import BURST_SECONDS, Rate, Tenancy
from tests.services.alert_messages import alert, notification
from tests.services.otlp_messages import PROTOBUF, exported, gauge, status

NOW = 1_700_000_000.0
HEADER = "X-Scope-OrgID"
LIMITS = Limits(max_series=2, max_samples=50)
LARGE = replace(LIMITS, max_series=1000, max_samples_per_second=10.0)
TENANCY = Tenancy(HEADER, most=3, limits={"large": LARGE})


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    intake = Intake(fake_platform, LIMITS, TENANCY)
    return TestClient(create_app(fake_platform, LIMITS, intake=intake))


def rows(count: int, first: int = 0) -> dict[str, object]:
    """One sample of each of so many series."""
    one = {"service": "cart", "time": NOW, "value": 1.0}
    return {"samples": [one | {"metric": f"m{k}"} for k in range(first, first + count)]}


def send(client: TestClient, tenant: str, sent: dict[str, object]) -> int:
    return client.post("/api/v1/samples", json=sent, headers={HEADER: tenant}).status_code


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_data_carries_the_tenant_of_its_request(client: TestClient, bus: FakeBus):
    assert send(client, "a", rows(1)) == 200
    headers = PROTOBUF | {HEADER: "large"}
    body = exported(gauge()).SerializeToString()
    assert client.post("/v1/metrics", content=body, headers=headers).status_code == 200
    assert [batch.tenant for batch in bus.published] == ["a", "large"]


def test_alerts_and_their_jobs_carry_it_too(client: TestClient, fake_platform: Platform):
    answer = client.post("/api/v1/alerts", json=notification(alert()), headers={HEADER: "a"})
    assert answer.status_code == 200
    assert len(fake_platform.alerts.page("a").items) == 1
    assert fake_platform.alerts.page().items == ()


def test_without_the_setting_the_header_means_nothing(fake_platform: Platform, bus: FakeBus):
    client = TestClient(create_app(fake_platform, LIMITS))
    assert send(client, "a", rows(1)) == 200
    assert bus.published[0].tenant == "default"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a|b", "a b", "x" * 129])
def test_a_name_that_can_be_none_is_refused(name: str, client: TestClient, bus: FakeBus):
    assert send(client, name, rows(1)) == 400
    assert not bus.published


def test_each_tenant_has_its_own_series_and_limits(client: TestClient, bus: FakeBus):
    before = counted("rootward_ingest_rejected_samples_total", reason="series_limit", tenant="a")
    assert send(client, "a", rows(2)) == 200
    assert send(client, "a", rows(1, first=2)) == 400
    assert send(client, "a", rows(2)) == 200, "known series go on"
    assert send(client, "b", rows(2, first=2)) == 200
    assert send(client, "large", rows(40)) == 200
    after = counted("rootward_ingest_rejected_samples_total", reason="series_limit", tenant="a")
    assert after == before + 1
    assert counted("rootward_active_series", tenant="large") == 40


def test_a_tenant_over_its_quota_is_429_and_the_others_go_on(
    client: TestClient, fake_platform: Platform
):
    before = counted("rootward_ingest_refused_requests_total", limit="rate", tenant="large")
    for _ in range(2):
        assert send(client, "large", rows(50)) == 200
    answer = client.post("/api/v1/samples", json=rows(50), headers={HEADER: "large"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    assert send(client, "a", rows(2)) == 200
    fake_platform.clock.advance(5.0)
    assert send(client, "large", rows(50)) == 200
    after = counted("rootward_ingest_refused_requests_total", limit="rate", tenant="large")
    assert after == before + 1


def test_otlp_says_429_as_a_status(client: TestClient):
    for _ in range(2):
        send(client, "large", rows(50))
    body = exported(gauge()).SerializeToString()
    answer = client.post("/v1/metrics", content=body, headers=PROTOBUF | {HEADER: "large"})
    assert status(answer)[:2] == (429, 8)


def test_tenants_are_bounded_in_number(client: TestClient):
    assert [send(client, name, rows(1)) for name in ("a", "b", "c", "d", "a")] == [
        *(200, 200, 200, 429, 200)
    ]


def test_a_quota_fills_up_and_never_beyond_its_burst():
    clock, rate = ManualClock(), Rate(10.0)
    rate.take(60, clock.now())
    rate.take(40, clock.now())
    with pytest.raises(OverQuota) as refused:
        rate.take(1, clock.now())
    assert refused.value.retry_after_seconds == pytest.approx(0.1)
    clock.advance(1000.0)
    rate.take(round(10 * BURST_SECONDS), clock.now())
    with pytest.raises(OverQuota):
        rate.take(1, clock.now())


def test_a_request_larger_than_the_burst_passes_when_nothing_was_sent_and_is_in_debt():
    clock, rate = ManualClock(), Rate(10.0)
    rate.take(300, clock.now())
    clock.advance(15.0)
    with pytest.raises(OverQuota):
        rate.take(1, clock.now())
    clock.advance(20.0)
    rate.take(1, clock.now())


@pytest.mark.parametrize(
    ("limits", "labels", "reason"),
    [
        (Limits(max_labels=2), {"a": "b"}, "too_many_labels"),
        (Limits(max_label_name_bytes=8), {"a" * 9: "b"}, "labels_too_long"),
        (Limits(max_label_value_bytes=8), {"a": "b" * 9}, "labels_too_long"),
    ],
)
def test_bounds_of_labels_are_settings(
    limits: Limits, labels: dict[str, str], reason: str, fake_platform: Platform
):
    client = TestClient(create_app(fake_platform, limits))
    one = {"service": "cart", "metric": "up", "time": NOW, "value": 1, "labels": labels}
    answer = client.post("/api/v1/samples", json={"samples": [one]})
    assert answer.json()["rejected"] == {reason: 1}
