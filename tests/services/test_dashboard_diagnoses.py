"""Diagnoses by request, feedback and the stream of events."""

from __future__ import annotations

import asyncio

import pytest
from fastapi.testclient import TestClient

from rootward.errors import Busy
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock, fake_platform
from rootward_dashboard.app import create_app
from rootward_dashboard.stream import Streams, stream
from rootward_worker import explaining
from tests.services import made_up_incident as shop

AT = "/api/v1/incidents/INC-1"


@pytest.fixture
def filled() -> Platform:
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    return platform


@pytest.fixture
def client(filled: Platform) -> TestClient:
    return TestClient(create_app(filled))


def heard(platform: Platform, last_id: int | None, incident: str = "") -> list[str]:
    """What a stream says until it has nothing more to say."""

    async def listen() -> list[str]:
        told = stream(platform, "default", last_id, incident_id=incident, poll_seconds=0, polls=20)
        return [text async for text in told]

    return [text for text in asyncio.run(listen()) if "event:" in text]


def test_a_stretch_of_time_is_explained(client: TestClient, filled: Platform):
    body = {"start": shop.ONSET, "end": "2026-09-21T14:13:20Z", "services": ["cart", "cart"]}
    answer = client.post("/api/v1/diagnoses", json=body)
    assert answer.status_code == 202
    made = answer.json()
    assert answer.headers["location"] == made["url"]
    assert (made["state"], made["start_unix"], made["end_unix"]) == ("queued", shop.ONSET, shop.NOW)
    assert (made["services"], made["asked_by"]) == (["cart"], "local")
    assert isinstance(filled.jobs, FakeJobs)
    (job,) = filled.jobs.submitted
    assert (job.name, job.payload) == ("explain", {"run_id": made["id"], "tenant": "default"})
    assert client.get(made["url"]).json() == made
    assert client.get("/api/v1/diagnoses").json()["items"] == [made]


def test_a_pending_diagnosis_tells_its_step_and_its_first_ranking():
    platform = fake_platform(ManualClock(shop.NOW))
    incident = platform.incidents.open(shop.incident())
    client = TestClient(create_app(platform))
    assert client.get(AT).json()["progress"] is None

    for step in ("frame", "onset"):
        explaining.tell_step(platform, incident, step)
    assert client.get(AT).json()["progress"]["candidates"] == []
    explaining.tell_first(platform, incident, shop.candidates())
    explaining.tell_step(platform, incident, "ranking")

    progress = client.get(AT).json()["progress"]
    assert (progress["step"], progress["at_unix"]) == ("ranking", shop.NOW)
    assert [one["service"] for one in progress["candidates"]] == [
        "orders-db", "orders", "checkout", "frontend", "shipping",
    ]  # fmt: skip
    explaining.tell_step(platform, incident, "frame")  # another attempt begins
    assert client.get(AT).json()["progress"]["candidates"] == []
    platform.incidents.save(incident.id, shop.diagnosis())
    assert client.get(AT).json()["progress"] is None


def test_a_diagnosis_is_called_off(client: TestClient):
    body = {"start": shop.ONSET, "end": shop.NOW}
    made = client.post("/api/v1/diagnoses", json=body).json()
    assert client.post(f"{made['url']}/cancel").json()["state"] == "cancelled"
    assert client.get(made["url"]).json()["state"] == "cancelled"
    assert client.get("/api/v1/diagnoses/none").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"start": 2000, "end": 1000},
        {"start": 1000, "end": 1000},
        {"start": 0, "end": 1e9},
        {"start": -5, "end": 5},
        {"start": "yesterday", "end": 5},
        {"start": 1e300, "end": 5},
        {"start": 0},
    ],
)
def test_a_stretch_that_is_none_is_refused(client: TestClient, body: dict[str, object]):
    assert client.post("/api/v1/diagnoses", json=body).status_code == 422


def test_what_people_say_is_kept_with_the_rank_and_becomes_our_accuracy(client: TestClient):
    said = client.post(
        f"{AT}/feedback", json={"service": "orders", "verdict": "confirmed", "reason": "locks"}
    ).json()
    assert (said["rank"], said["actor"]) == (2, "local")
    client.post(f"{AT}/feedback", json={"service": "orders-db", "verdict": "rejected"})
    items = client.get(f"{AT}/feedback").json()["items"]
    assert [(i["service"], i["verdict"]) for i in items] == [
        ("orders", "confirmed"),
        ("orders-db", "rejected"),
    ]
    found = client.get("/api/v1/accuracy").json()
    assert (found["incidents"], found["ac_at_1"], found["ac_at_3"]) == (1, 0.0, 1.0)
    assert found["mean_reciprocal_rank"] == 0.5
    assert [w["incidents"] for w in found["weeks"]] == [1]
    wrong = client.post(f"{AT}/feedback", json={"service": "orders", "verdict": "maybe"})
    assert wrong.status_code == 422


def test_whoever_comes_back_hears_what_was_missed(filled: Platform, client: TestClient):
    start = filled.events.last_id()
    client.post(f"{AT}/acknowledge")
    client.post(f"{AT}/comments", json={"text": "on it"})
    told = heard(filled, start)
    assert [text.splitlines()[0] for text in told] == [f"id: {start + 1}", f"id: {start + 2}"]
    assert '"action":"acknowledged"' in told[0]
    assert heard(filled, start + 1) == told[1:]
    assert heard(filled, None) == []
    assert heard(filled, start, incident="another") == []


def test_whoever_missed_too_much_is_told_to_read_again(filled: Platform):
    for _ in range(1200):
        filled.events.tell("incident", "x", {})
    (reset,) = heard(filled, 1)
    assert "event: reset" in reset
    (ahead,) = heard(filled, 10**9)
    assert "event: reset" in ahead


def test_a_stream_keeps_its_connection_open_with_comments(filled: Platform):
    async def listen() -> list[str]:
        return [t async for t in stream(filled, "default", None, poll_seconds=0, polls=40)]

    assert sum("still here" in text for text in asyncio.run(listen())) == 2


def test_there_are_only_so_many_streams():
    streams = Streams(most=1)
    streams.enter()
    with pytest.raises(Busy):
        streams.enter()
    streams.leave()
    streams.enter()


def test_an_event_that_is_none_is_refused(client: TestClient):
    answer = client.get("/api/v1/events", headers={"Last-Event-ID": "x"})
    assert answer.status_code == 400
