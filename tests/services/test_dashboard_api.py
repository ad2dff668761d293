"""The RCA API: every route, every error, paging."""

from __future__ import annotations

import math

import pytest
from fastapi.testclient import TestClient

from rootward.errors import Busy, Unavailable
from rootward.model.incident import Change, Status
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock, fake_platform
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

PROBLEM = "application/problem+json"
OPERATIONS = """
    list_incidents get_incident get_diagnosis diagnose_incident analyse_incident
    list_methods list_alerts list_changes list_series get_status get_incident_facets
    list_activity update_incident acknowledge_incident unacknowledge_incident
    resolve_incident reopen_incident comment_incident merge_incidents separate_incident
    split_incident link_incidents unlink_incident create_diagnosis list_diagnoses
    get_requested_diagnosis cancel_diagnosis give_feedback list_feedback get_accuracy
    tell_outcome list_outcomes list_graphs get_graph list_drift
    stream_events get_series_data get_timeline list_similar get_topology get_me list_audit
    get_bundle get_report list_tokens create_token revoke_token
    list_people add_person change_person remove_person
"""
"""What clients call the operations; names stay."""


def jobs(platform: Platform) -> FakeJobs:
    assert isinstance(platform.jobs, FakeJobs)
    return platform.jobs


def test_the_list_names_the_first_cause_of_an_incident(reader: TestClient):
    answer = reader.get("/api/v1/incidents").json()
    assert answer["next_cursor"] is None
    (item,) = answer["items"]
    assert item["name"] == "INC-1"
    assert item["diagnosis"]["first_cause"] == "orders-db"
    assert item["diagnosis"]["state"] == "ready"
    assert item["onset_at"] == "2026-09-21T14:01:20Z"
    assert item["onset_unix"] == shop.ONSET
    assert item["duration_seconds"] == 720.0
    assert item["services"] == ["checkout", "frontend", "orders", "orders-db", "shipping"]


def test_pages_of_many_incidents_follow_each_other_without_gap_or_repeat():
    platform = fake_platform(ManualClock(shop.NOW))
    for number in range(120):
        platform.incidents.open(shop.older(number))
    client = TestClient(create_app(platform))
    seen: list[str] = []
    address: str | None = "/api/v1/incidents?limit=50&status=resolved"
    sizes = []
    while address:
        answer = client.get(address)
        items = answer.json()["items"]
        sizes.append(len(items))
        seen += [i["id"] for i in items]
        link = answer.headers.get("link")
        assert (link is None) == (answer.json()["next_cursor"] is None)
        address = link.split(">")[0].lstrip("<") if link else None
    assert sizes == [50, 50, 20]
    assert seen == [f"older-{n:05d}" for n in reversed(range(120))]


def test_the_list_filters_by_status_and_service(filled: Platform):
    filled.incidents.open(shop.older(1))
    client = TestClient(create_app(filled))
    named = {
        query: [i["name"] for i in client.get(f"/api/v1/incidents?{query}").json()["items"]]
        for query in ("status=open", "status=resolved", "service=orders-db", "service=nobody")
    }
    assert named == {
        "status=open": ["INC-1"],
        "status=resolved": ["INC-2"],
        "service=orders-db": ["INC-1"],
        "service=nobody": [],
    }


@pytest.mark.parametrize("key", ["INC-1", shop.incident().id])
def test_an_incident_is_found_by_name_and_by_id(reader: TestClient, key: str):
    answer = reader.get(f"/api/v1/incidents/{key}").json()
    assert answer["incident"]["id"] == shop.incident().id
    assert [c["series"]["service"] for c in answer["changes"]][:2] == ["orders-db", "orders-db"]
    assert [c["service"] for c in answer["diagnosis"]["candidates"]][:2] == ["orders-db", "orders"]
    assert {a["method"]: a["status"] for a in answer["analyses"]} == {
        "baro": "failed",
        "next_check": "ok",
        "pagerank": "ok",
        "pc": "not_applicable",
        "similar": "weak",
        "slow": "running",
    }
    kinds = [b["kind"] for b in answer["analyses"][2]["result"]["blocks"]]
    assert kinds == ["bars", "table", "lines", "heatmap", "scatter", "graph", "note"]


def test_a_diagnosis_says_what_it_needs_to_be_reproduced(reader: TestClient):
    answer = reader.get("/api/v1/incidents/INC-1/diagnosis").json()
    kept = ("rows", "series_count", "seed", "method", "version", "step_seconds", "seconds")
    assert {k: answer[k] for k in kept} == {
        "rows": 240,
        "series_count": 96,
        "seed": 7,
        "method": "neural_granger",
        "version": "0.1.0",
        "step_seconds": 15.0,
        "seconds": 8.42,
    }
    assert answer["graph"]["edges"][0] == {
        "cause": shop.LOCKS.key,
        "effect": shop.ORDERS.key,
        "lag_rows": 1,
        "lag_seconds": 15.0,
        "weight": 0.91,
        "sign": 1,
        "confidence": 0.94,
    }
    assert sum(c["score"] for c in answer["candidates"]) == pytest.approx(1.0)


def test_a_number_that_is_none_comes_out_as_null():
    platform = fake_platform(ManualClock(shop.NOW))
    change = Change(shop.FRONTEND, shop.ONSET, math.inf, math.nan, 2.0)
    platform.incidents.open(shop.incident(changes=(change,)))
    (out,) = TestClient(create_app(platform)).get("/api/v1/incidents/INC-1").json()["changes"]
    assert (out["score"], out["before"], out["after"]) == (None, None, 2.0)


def test_while_there_is_no_diagnosis_the_problem_says_why():
    platform = fake_platform(ManualClock(shop.NOW))
    platform.incidents.open(shop.incident())
    client = TestClient(create_app(platform))
    pending = client.get("/api/v1/incidents/INC-1/diagnosis")
    platform.incidents.fail("INC-1", "window has 40 rows, 120 are needed")
    failed = client.get("/api/v1/incidents/INC-1/diagnosis")
    assert [a.status_code for a in (pending, failed)] == [404, 404]
    assert pending.json()["code"] == "diagnosis_pending"
    assert failed.json()["code"] == "diagnosis_failed"
    assert failed.json()["detail"] == "window has 40 rows, 120 are needed"


def test_asking_for_a_diagnosis_submits_the_job(filled: Platform):
    client = TestClient(create_app(filled))
    answer = client.post("/api/v1/incidents/INC-1/diagnose")
    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/v1/incidents/INC-1/diagnosis"
    (job,) = jobs(filled).submitted
    assert (job.name, job.payload) == (
        "diagnose",
        {"incident_id": shop.incident().id, "tenant": "default"},
    )


def test_asking_for_an_analysis_submits_the_job(filled: Platform):
    client = TestClient(create_app(filled))
    body = {"method": "pagerank", "params": {"damping": 0.9}}
    answer = client.post("/api/v1/incidents/INC-1/analyses", json=body)
    assert answer.status_code == 202
    (job,) = jobs(filled).submitted
    assert job.name == "analyse"
    assert job.payload == {
        "incident_id": shop.incident().id,
        "method": "pagerank",
        "params": {"damping": 0.9},
        "tenant": "default",
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"method": "guessing"}, "unknown_method"),
        ({"method": "pagerank", "params": {"dampin": 0.9}}, "invalid_parameters"),
        ({"method": "pagerank", "params": {"damping": "high"}}, "invalid_parameters"),
        ({"method": "pagerank", "params": {"damping": True}}, "invalid_parameters"),
        ({"params": {}}, "invalid_request"),
        ({"method": "pagerank", "extra": 1}, "invalid_request"),
    ],
)
def test_a_wrong_analysis_is_refused_and_nothing_is_submitted(
    filled: Platform, body: dict[str, object], code: str
):
    client = TestClient(create_app(filled))
    answer = client.post("/api/v1/incidents/INC-1/analyses", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["code"] == code
    assert jobs(filled).submitted == []


def test_the_catalogue_carries_the_schema_of_the_parameters(reader: TestClient):
    items = reader.get("/api/v1/methods").json()["items"]
    known = {m["name"]: m for m in items}
    assert list(known) == sorted(known)
    assert {"baro", "pagerank", "pc"} <= set(known)
    assert known["pagerank"]["parameters_schema"]["properties"]["damping"]["default"] == 0.85


def test_series_come_page_by_page_with_their_last_time(reader: TestClient):
    first = reader.get("/api/v1/series?limit=7")
    second = reader.get(first.headers["link"].split(">")[0].lstrip("<")).json()
    keys = [s["key"] for s in first.json()["items"] + second["items"]]
    assert first.json()["total"] == 12
    assert keys == [s.key for s in sorted(shop.EVERY)]
    assert second["next_cursor"] is None
    assert first.json()["items"][0]["last_unix"] == shop.NOW - 4
    only = reader.get("/api/v1/series?service=orders-db").json()
    assert {s["service"] for s in only["items"]} == {"orders-db"}


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/api/v1/incidents/INC-99", 404, "not_found"),
        ("/api/v1/incidents/INC-99/diagnosis", 404, "not_found"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/v1/incidents?status=bad", 422, "invalid_request"),
        ("/api/v1/incidents?limit=0", 422, "invalid_request"),
        ("/api/v1/incidents?limit=501", 422, "invalid_request"),
        ("/api/v1/incidents?cursor=zzz", 400, "invalid_input"),
        ("/api/v1/series?cursor=%FF", 400, "invalid_input"),
        ("/api/v1/series?cursor=WzEsMl0", 400, "invalid_input"),
        ("/api/v1/series?cursor=WyIiLFtdXQ", 400, "invalid_input"),
    ],
)
def test_errors_are_problems_with_a_stable_code(
    reader: TestClient, address: str, status: int, code: str
):
    answer = reader.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    body = answer.json()
    assert body["code"] == code
    assert body["type"] == f"urn:rootward:problem:{code}"
    assert body["status"] == status
    assert body["instance"] == address.partition("?")[0]
    assert body["title"]
    assert body["detail"]


def test_a_wrong_query_names_the_parameter(reader: TestClient):
    (error,) = reader.get("/api/v1/incidents?limit=0").json()["errors"]
    assert error["parameter"] == "limit"


def test_an_address_that_takes_no_delete_says_so(reader: TestClient):
    answer = reader.delete("/api/v1/incidents")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"
    assert "GET" in answer.headers["allow"]


def test_a_full_queue_is_503_with_retry_after(filled: Platform):
    class Full(FakeJobs):
        def submit(self, name: str, **_: object) -> None:  # type: ignore[override]
            raise Busy(f"no room for {name}", retry_after_seconds=7.0)

    object.__setattr__(filled, "jobs", Full(filled.clock))
    answer = TestClient(create_app(filled)).post("/api/v1/incidents/INC-1/diagnose")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["code"] == "busy"


def test_an_error_nobody_planned_for_is_a_problem_without_its_text(
    filled: Platform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def explode(*_: object) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(filled.incidents, "get", explode)
    answer = TestClient(create_app(filled)).get("/api/v1/incidents/INC-1")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    assert "secret path" in caplog.text


def test_head_answers_like_get_without_a_body(reader: TestClient):
    for address in ("/api/v1/incidents", "/", "/incidents/INC-1", "/livez"):
        get, head = reader.get(address), reader.head(address)
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["content-length"] == str(len(get.content))


def test_a_form_on_another_site_cannot_start_work(filled: Platform):
    client = TestClient(create_app(filled))
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/api/v1/incidents/INC-1/diagnose", headers=headers)
    assert answer.status_code == 403
    assert jobs(filled).submitted == []


def test_it_lives_even_while_the_database_does_not_answer(
    filled: Platform, monkeypatch: pytest.MonkeyPatch
):
    def down() -> None:
        raise Unavailable("database is locked")

    monkeypatch.setattr(filled.incidents, "check", down)
    client = TestClient(create_app(filled))
    assert client.get("/livez").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"][1] == {
        "name": "incidents",
        "ok": False,
        "reason": "database is locked",
    }


def test_a_platform_that_answers_is_ready_and_measured(reader: TestClient):
    reader.get("/api/v1/methods")
    assert reader.get("/readyz").json()["status"] == "ok"
    metrics = reader.get("/metrics").text
    assert 'rootward_http_requests_total{code="200",route="/api/v1/methods"}' in metrics
    assert "rootward_jobs_backlog 0.0" in metrics


def test_the_api_describes_itself(reader: TestClient):
    document = reader.get("/openapi.json").json()
    names = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert names == set(OPERATIONS.split())
    missing = document["paths"]["/api/v1/incidents/{key}"]["get"]["responses"]["404"]
    properties = missing["content"][PROBLEM]["schema"]["properties"]
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(properties)
    assert "$ref" not in str(properties["errors"])


def test_no_page_loads_documentation_from_elsewhere(reader: TestClient):
    assert reader.get("/docs").status_code == 404
    assert reader.get("/redoc").status_code == 404


def test_the_same_answers_come_from_the_embedded_platform(platform: Platform, clock: ManualClock):
    clock.set(shop.NOW)
    opened = shop.fill(platform)
    for number in range(30):
        platform.incidents.open(shop.older(number, Status.RESOLVED))
    client = TestClient(create_app(platform))
    detail = client.get(f"/api/v1/incidents/INC-{opened.number}").json()
    assert detail["diagnosis"]["candidates"][0]["service"] == "orders-db"
    assert len(detail["analyses"]) == 6
    first = client.get("/api/v1/incidents?limit=20").json()
    second = client.get(f"/api/v1/incidents?limit=20&cursor={first['next_cursor']}").json()
    assert len({i["id"] for i in first["items"] + second["items"]}) == 31
    assert client.get("/incidents/INC-1").status_code == 200
    assert client.get("/readyz").status_code == 200
