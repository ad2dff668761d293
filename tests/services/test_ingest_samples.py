"""Plain JSON samples over HTTP, and the health of ingest."""

import json
import math

import pytest
from fastapi.testclient import TestClient

from rootward.errors import Unavailable
from rootward.model.series import Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits

NOW = 1_700_000_000.0
SAMPLE = {"service": "cart", "metric": "latency_seconds", "time": NOW, "value": 0.2}


def test_samples_one_by_one_are_accepted_with_a_count(client: TestClient, bus: FakeBus):
    more = SAMPLE | {"labels": {"instance": "cart-1"}, "time": "2023-11-14T22:13:21Z", "value": 3}
    answer = client.post("/api/v1/samples", json={"samples": [SAMPLE, more]})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 2, "rejected": {}})
    (batch,) = bus.published
    assert batch.series == (
        Series.of("latency_seconds", "cart"),
        Series.of("latency_seconds", "cart", instance="cart-1"),
    )
    assert batch.times.tolist() == [NOW, NOW + 1]
    assert batch.values.tolist() == [0.2, 3.0]


def test_columns_are_accepted_and_null_is_not_measured(client: TestClient, bus: FakeBus):
    columns = {
        "series": [
            {"service": "cart", "metric": "a"},
            {"metric": "b", "labels": {"job": "shop/user"}},
        ],
        "times": [NOW, "2023-11-14T23:13:22+01:00"],
        "values": [[1, None], [3.5, 4.0]],
    }
    answer = client.post("/api/v1/samples", json=columns)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 4)
    (batch,) = bus.published
    assert [s.service for s in batch.series] == ["cart", "user"]
    assert batch.times.tolist() == [NOW, NOW + 2, NOW, NOW + 2]
    assert math.isnan(batch.values[1])
    assert batch.values[[0, 2, 3]].tolist() == [1.0, 3.5, 4.0]


def test_labels_may_repeat_the_service(client: TestClient, bus: FakeBus):
    repeated = SAMPLE | {"labels": {"service": "cart"}}
    answer = client.post("/api/v1/samples", json={"samples": [SAMPLE, repeated]})
    assert answer.json()["accepted"] == 2
    assert bus.published[0].series == (Series.of("latency_seconds", "cart"),)


def test_an_empty_list_is_accepted_and_nothing_is_published(client: TestClient, bus: FakeBus):
    assert client.post("/api/v1/samples", json={"samples": []}).json()["accepted"] == 0
    assert not bus.published


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": None}, "bad_time"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": "2023-11-14T22:13:20"}, "bad_time"),
        ({"time": True}, "bad_time"),
        ({"time": 10**400}, "bad_time"),
        ({"value": "0.2"}, "bad_value"),
        ({"value": False}, "bad_value"),
        ({"value": 10**400}, "infinite"),
        ({"labels": ["a"]}, "bad_labels"),
        ({"labels": {"code": 500}}, "bad_labels"),
        ({"labels": {"service": "user"}}, "bad_labels"),
        ({"labels": {"city": "K\0ln"}}, "bad_labels"),
        ({"labels": {"city": "\ud800"}}, "bad_labels"),
        ({"metric": ""}, "no_name"),
        ({"service": ""}, "no_service"),
        ({"service": 7}, "bad_labels"),
        ({"time": NOW + 601}, "too_far_ahead"),
        ({"time": NOW - 3601}, "too_old"),
    ],
)
def test_a_wrong_sample_is_named_and_the_right_one_is_kept(
    change: dict[str, object], reason: str, client: TestClient, bus: FakeBus
):
    answer = client.post(
        "/api/v1/samples",
        content=json.dumps({"samples": [SAMPLE, SAMPLE | change]}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["accepted"], problem["rejected"]) == (1, {reason: 1})
    assert problem["status"] == 400
    assert problem["reasons"][0].startswith(reason)
    assert len(bus.published[0]) == 1


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"samples": [', "not JSON"),
        (b'{"samples": [{"value": NaN}]}', "null"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "expected an object"),
        (b"{}", "either"),
        (b'{"samples": [], "series": []}', "either"),
        (b'{"samples": {}}', "list in `samples`"),
        (b'{"series": [], "times": 3, "values": []}', "list in `times`"),
        (b'{"series": [], "times": [], "values": [[]]}', "0 series, but values of 1"),
        (b'{"series": [{}], "times": [1, 2], "values": [[1]]}', "one value for each of 2 times"),
    ],
)
def test_a_body_of_another_form_is_a_problem_with_a_reason(
    sent: bytes, complaint: str, client: TestClient, bus: FakeBus
):
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/samples", content=sent, headers=headers)
    assert answer.status_code == 400
    assert complaint in answer.json()["detail"]
    assert not bus.published


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
def test_another_kind_of_body_is_415(headers: dict[str, str], client: TestClient):
    answer = client.post("/api/v1/samples", content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["status"] == 415


def test_a_full_bus_is_503_with_retry_after(client: TestClient, bus: FakeBus):
    bus._max_backlog = 0
    answer = client.post("/api/v1/samples", json={"samples": [SAMPLE]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["title"] == "Busy"


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/-/healthy", "/readyz", "/-/ready"])
def test_health_answers_get_and_head(path: str, client: TestClient):
    assert client.get(path).text == "ok\n"
    assert client.head(path).status_code == 200


def test_readiness_lists_its_checks_on_request(client: TestClient):
    assert client.get("/readyz?verbose").text == "[+] bus ok\n[+] samples ok\nok\n"


def test_ingest_is_not_ready_while_the_bus_is_down_but_alive(
    fake_platform: Platform, bus: FakeBus, monkeypatch: pytest.MonkeyPatch
):
    def gone() -> int:
        raise Unavailable("broker gone")

    monkeypatch.setattr(bus, "backlog", gone)
    client = TestClient(create_app(fake_platform, Limits()))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "[-] bus broker gone" in answer.text
    assert client.get("/livez").status_code == 200


def test_own_metrics_are_exposed(client: TestClient):
    client.post("/api/v1/samples", json={"samples": [SAMPLE]})
    text = client.get("/metrics").text
    assert 'rootward_ingest_samples_total{protocol="json",tenant="default"}' in text
    assert "rootward_ingest_inflight_bytes 0.0" in text
