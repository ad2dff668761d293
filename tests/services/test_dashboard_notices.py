"""Alerts and change events in the API and on the page of an incident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.testing.fakes import ManualClock, fake_platform
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

ALERT = Alert(
    "default",
    "f00",
    shop.ONSET + 60,
    AlertStatus.FIRING,
    "orders",
    (("alertname", "HighLatency"), ("service", "orders")),
    (("summary", "p99 <b>over</b> 1 s"),),
    seen_unix=shop.ONSET + 65,
    url="https://prometheus/graph",
)
DEPLOY = ChangeEvent(
    "default",
    "/ci",
    "1",
    shop.ONSET - 120,
    ChangeKind.DEPLOY,
    "orders",
    "orders v2.3.1",
    author="kim",
    url="javascript:alert(1)",
    details=(("version", "v2.3.1"),),
)


@pytest.fixture
def client() -> TestClient:
    platform = fake_platform(ManualClock(shop.NOW))
    incident = shop.fill(platform)
    platform.alerts.put([ALERT, replace(ALERT, fingerprint="b", service="cart")])
    platform.alerts.link(ALERT.key, incident.id, opened=False, tenant="default")
    early = replace(DEPLOY, id="0", at_unix=shop.ONSET - 7200, title="long ago")
    platform.change_events.put([early, DEPLOY, replace(DEPLOY, id="2", service="cart")])
    return TestClient(create_app(platform))


def test_an_incident_has_its_alerts_and_what_was_done_before(client: TestClient):
    answer = client.get("/api/v1/incidents/INC-1").json()
    (alert,) = answer["alerts"]
    assert (alert["name"], alert["status"], alert["opened"]) == ("HighLatency", "firing", False)
    assert alert["starts_at"] == "2026-09-21T14:02:20Z"
    assert [e["title"] for e in answer["change_events"]] == ["orders v2.3.1"] * 2
    assert answer["change_events"][0]["details"] == {"version": "v2.3.1"}


def test_alerts_and_changes_are_listed_with_filters_and_pages(client: TestClient):
    firing = client.get("/api/v1/alerts?status=firing&service=orders").json()
    assert [a["key"] for a in firing["items"]] == [ALERT.key]
    assert client.get("/api/v1/alerts?status=resolved").json()["items"] == []
    first = client.get("/api/v1/changes?limit=2")
    assert [e["id"] for e in first.json()["items"]] == ["2", "1"]
    rest = client.get(first.headers["link"].split(">")[0].lstrip("<")).json()
    assert ([e["id"] for e in rest["items"]], rest["next_cursor"]) == (["0"], None)
    assert [e["id"] for e in client.get("/api/v1/changes?service=cart").json()["items"]] == ["2"]


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/changes"])
def test_a_cursor_that_is_not_ours_is_400(path: str, client: TestClient):
    assert client.get(f"{path}?cursor=x").status_code == 400


def test_the_page_shows_both_as_text_and_leads_only_to_the_web(client: TestClient):
    for path in ("/incidents/INC-1/report", "/incidents/INC-1/report"):
        page = client.get(path).text
        assert "What was done to the system" in page
        assert "orders v2.3.1" in page
        assert "−2 min" in page
        assert 'href="https://prometheus/graph"' in page
        assert "p99 &lt;b&gt;over&lt;/b&gt; 1 s" in page
        assert "javascript:" not in page


def test_a_page_without_either_says_nothing_of_them():
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    page = TestClient(create_app(platform)).get("/incidents/INC-1/report").text
    assert "What was done to the system" not in page
    assert "Alerts" not in page
