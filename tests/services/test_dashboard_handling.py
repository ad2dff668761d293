"""What people do to incidents through the API, on the embedded platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from rootward.adapters.sql.replies import LOST_SECONDS
from rootward.model.alert import Alert, AlertStatus
from rootward.model.incident import Change, Status
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward_dashboard.app import create_app
from rootward_worker import splits
from tests.services import made_up_incident as shop

AT = "/api/v1/incidents/INC-1"


@pytest.fixture
def client(platform: Platform, clock: ManualClock) -> Iterator[TestClient]:
    """INC-1 is the made-up one; INC-2 to INC-4 are of the cart."""
    clock.set(shop.NOW)
    shop.fill(platform)
    for number in range(3):
        platform.incidents.open(shop.older(number))
    with TestClient(create_app(platform)) as client:
        yield client


def actions(client: TestClient, at: str = AT) -> list[tuple[str, str]]:
    return [(a["actor"], a["action"]) for a in client.get(f"{at}/activity").json()["items"]]


def code(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def by_series(changes: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(changes, key=lambda c: str(c["series"]))


def test_an_incident_is_acknowledged_once(client: TestClient):
    first = client.post(f"{AT}/acknowledge")
    again = client.post(f"{AT}/acknowledge")

    assert first.status_code == again.status_code == 200
    assert first.json()["acknowledged_by"] == "local"
    assert first.json()["acknowledged_unix"] == shop.NOW
    assert first.headers["etag"] == again.headers["etag"] == '"2"'
    assert actions(client)[-1] == ("local", "acknowledged")
    assert len(actions(client)) == 3
    back = client.post(f"{AT}/unacknowledge").json()
    assert (back["acknowledged_by"], back["acknowledged_at"]) == ("", None)


def test_it_is_resolved_with_a_note_and_opened_again(client: TestClient):
    ended = client.post(f"{AT}/resolve", json={"note": "rolled back"}).json()
    assert (ended["status"], ended["resolved_by"]) == ("resolved", "local")
    assert client.get("/api/v1/incidents?status=open").json()["items"] == []
    opened = client.post(f"{AT}/reopen").json()
    assert (opened["status"], opened["resolved_at"], opened["resolved_by"]) == ("open", None, "")
    lines = client.get(f"{AT}/activity").json()["items"]
    assert [(a["action"], a["text"]) for a in lines[-2:]] == [
        ("resolved", "rolled back"),
        ("reopened", ""),
    ]


def test_a_comment_stands_in_the_log(client: TestClient):
    answer = client.post(f"{AT}/comments", json={"text": "looking at the locks"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{AT}/activity"
    assert client.get(f"{AT}/activity").json()["items"][-1] == answer.json()
    assert answer.json()["text"] == "looking at the locks"


def test_who_has_it_is_changed_only_by_who_read_it(client: TestClient):
    read = client.get(AT).headers["etag"]
    assert code(client.patch(AT, json={"assignee": "kim"})) == (428, "precondition_required")
    done = client.patch(AT, json={"assignee": "kim"}, headers={"If-Match": read})
    assert done.json()["assignee"] == "kim"
    late = client.patch(AT, json={"assignee": "lee"}, headers={"If-Match": read})
    assert code(late) == (412, "outdated")
    fresh = client.patch(AT, json={"assignee": None}, headers={"If-Match": done.headers["etag"]})
    assert fresh.json()["assignee"] == ""
    assert client.patch(AT, json={"assignee": "lee"}, headers={"If-Match": "*"}).status_code == 200
    odd = client.patch(AT, json={"assignee": "lee"}, headers={"If-Match": "W/x"})
    assert code(odd) == (400, "invalid_input")


def test_any_number_are_merged_and_old_names_keep_answering(client: TestClient, platform: Platform):
    alert = Alert("default", "f", 1.0, AlertStatus.FIRING, "cart", ())
    platform.alerts.put([alert])
    platform.alerts.link(alert.key, "older-00001", opened=True, tenant="default")
    merged = client.post("/api/v1/incidents/INC-2/merge", json={"incidents": ["INC-3"]})
    assert merged.status_code == 200
    merged = client.post(f"{AT}/merge", json={"incidents": ["INC-2", "INC-4", "INC-2"]})

    assert merged.json()["merged"] == ["older-00000", "older-00002", "older-00001"]
    assert merged.json()["onset_unix"] == shop.older(0).onset_unix
    assert merged.json()["severity"] == "critical"
    assert "cart" in merged.json()["services"]
    for name in ("INC-2", "INC-3", "INC-4", "older-00001"):
        found = client.get(f"/api/v1/incidents/{name}")
        assert found.headers["content-location"] == AT
        assert found.json()["merged_into"] == "INC-1"
        assert found.json()["incident"]["name"] == "INC-1"
        assert client.get(f"/incidents/{name}").status_code == 200
    detail = client.get(AT).json()
    assert detail["merged_into"] is None
    assert [(r["name"], r["how"]) for r in detail["related"]] == [
        ("INC-2", "merged"),
        ("INC-4", "merged"),
        ("INC-3", "merged"),
    ]
    assert [a["service"] for a in detail["alerts"]] == ["cart"]
    assert [i["name"] for i in client.get("/api/v1/incidents").json()["items"]] == ["INC-1"]


def test_an_incident_is_not_merged_with_itself(client: TestClient):
    itself = client.post(f"{AT}/merge", json={"incidents": ["INC-1"]})
    assert code(itself) == (422, "invalid_parameters")
    assert code(client.post(f"{AT}/merge", json={"incidents": ["INC-9"]})) == (404, "not_found")
    assert code(client.post(f"{AT}/merge", json={"incidents": []})) == (422, "invalid_request")


def test_a_merge_is_taken_back_with_what_it_brought(client: TestClient):
    before = client.get(AT).json()
    client.post(f"{AT}/merge", json={"incidents": ["INC-2", "INC-3"]})
    back = client.post(f"{AT}/separate", json={"incidents": ["INC-2"]})
    assert back.status_code == 200
    assert back.json()["merged"] == ["older-00001"]
    assert client.get("/api/v1/incidents/INC-2").json()["merged_into"] is None
    client.post(f"{AT}/separate", json={"incidents": ["INC-3"]})
    after = client.get(AT).json()
    assert by_series(after["changes"]) == by_series(before["changes"])
    assert after["incident"]["onset_unix"] == before["incident"]["onset_unix"]
    never = client.post(f"{AT}/separate", json={"incidents": ["INC-4"]})
    assert code(never) == (409, "conflict")


def test_services_are_split_off_and_both_know_of_each_other(client: TestClient):
    answer = client.post(f"{AT}/split", json={"services": ["shipping"]})
    assert answer.status_code == 201
    made = client.get(answer.headers["location"]).json()
    assert made["incident"]["name"] == "INC-5"
    assert made["incident"]["services"] == ["shipping"]
    assert [r["name"] for r in made["related"]] == ["INC-1"]
    left = client.get(AT).json()
    assert "shipping" not in left["incident"]["services"]
    assert [(r["name"], r["how"]) for r in left["related"]] == [("INC-5", "linked")]
    series = client.post(f"{AT}/split", json={"series": [shop.CPU.key], "title": "busy"}).json()
    assert (series["title"], series["services"]) == ("busy", ["orders-db"])


@pytest.mark.parametrize("wanted", [{"services": ["frontend"]}, {"services": ["nobody"]}, {}])
def test_the_symptom_and_nothing_are_not_split_off(client: TestClient, wanted: dict[str, object]):
    assert code(client.post(f"{AT}/split", json=wanted)) == (422, "invalid_parameters")


def test_incidents_are_linked_and_unlinked_both_ways(client: TestClient):
    linked = client.post(f"{AT}/links", json={"incidents": ["INC-2", "INC-3"]}).json()
    assert linked["links"] == ["older-00000", "older-00001"]
    other = client.get("/api/v1/incidents/INC-2").json()
    assert [r["name"] for r in other["related"]] == ["INC-1"]
    left = client.delete(f"{AT}/links/INC-2").json()
    assert left["links"] == ["older-00001"]
    assert client.get("/api/v1/incidents/INC-2").json()["related"] == []


def test_a_request_under_a_key_is_done_once(client: TestClient):
    headers = {"Idempotency-Key": "4711"}
    first = client.post(f"{AT}/comments", json={"text": "once"}, headers=headers)
    again = client.post(f"{AT}/comments", json={"text": "once"}, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert actions(client).count(("local", "commented")) == 1
    other = client.post(f"{AT}/comments", json={"text": "twice"}, headers=headers)
    assert code(other) == (422, "invalid_parameters")


def test_what_was_done_before_the_server_died_is_not_done_again_under_its_key(
    client: TestClient, platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    headers = {"Idempotency-Key": "4713"}
    said = {"text": "once"}

    with monkeypatch.context() as dying:
        dying.setattr(platform.replies, "end", lambda *_: None)  # it never comes to that
        client.post(f"{AT}/comments", json=said, headers=headers)
        client.post("/api/v1/incidents/INC-9/comments", json=said, headers={"Idempotency-Key": "0"})
    clock.set(clock.now() + LOST_SECONDS)
    again = client.post(f"{AT}/comments", json=said, headers=headers)
    assert code(again) == (409, "conflict")
    assert "its answer was lost" in again.json()["detail"]
    assert actions(client).count(("local", "commented")) == 1
    failed = client.post(
        "/api/v1/incidents/INC-9/comments", json=said, headers={"Idempotency-Key": "0"}
    )
    assert failed.status_code == 404, "what changed nothing counts as new"


def test_a_request_that_failed_may_be_sent_again_under_its_key(client: TestClient):
    headers = {"Idempotency-Key": "4712"}
    assert client.post("/api/v1/incidents/INC-9/acknowledge", headers=headers).status_code == 404
    assert client.post("/api/v1/incidents/INC-9/acknowledge", headers=headers).status_code == 404
    long = {"Idempotency-Key": "k" * 200}
    assert code(client.post(f"{AT}/acknowledge", headers=long)) == (400, "invalid_input")


def test_the_list_is_searched_and_counted(client: TestClient):
    client.patch(AT, json={"assignee": "kim"}, headers={"If-Match": "*"})
    client.post(f"{AT}/acknowledge")
    for query, found in {
        "severity=critical": ["INC-1"],
        "severity=critical&severity=warning": ["INC-1", "INC-4", "INC-3", "INC-2"],
        "service=cart&q=inc-4 occasion": ["INC-4"],
        "assignee=kim": ["INC-1"],
        "assignee=": ["INC-4", "INC-3", "INC-2"],
        "acknowledged=true": ["INC-1"],
        "q=lock waits": ["INC-1"],
    }.items():
        items = client.get(f"/api/v1/incidents?{query}").json()["items"]
        assert [i["name"] for i in items] == found, query
    counts = client.get("/api/v1/incidents/facets?severity=critical").json()
    assert counts["total"] == counts["acknowledged"] == 1
    assert counts["severity"] == [
        {"value": "warning", "count": 3},
        {"value": "critical", "count": 1},
    ]
    assert {"value": "orders-db", "count": 1} in counts["service"]


def test_changes_that_cannot_be_counted_are_merged_all_the_same(
    client: TestClient, platform: Platform
):
    odd = Change(shop.PAYMENT, shop.ONSET, 1e300, 0.0, 1.0)
    platform.incidents.open(shop.incident(id="odd", changes=(odd,)))
    merged = client.post(f"{AT}/merge", json={"incidents": ["INC-5"]}).json()
    assert "payment" in merged["services"]


def test_what_was_split_off_does_not_come_back_and_ends_with_its_source(
    client: TestClient, platform: Platform
):
    read = platform.incidents.get("INC-1")
    client.post(f"{AT}/split", json={"services": ["shipping"]})
    platform.incidents.update(read)
    assert "shipping" not in client.get(AT).json()["incident"]["services"]
    splits.end_with_their_source(platform)
    assert platform.incidents.get("INC-5").status is Status.OPEN
    client.post(f"{AT}/resolve")
    splits.end_with_their_source(platform)
    assert platform.incidents.get("INC-5").status is Status.RESOLVED
