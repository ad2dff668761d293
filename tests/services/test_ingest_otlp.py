"""OTLP over HTTP: how a request is answered."""

import gzip
import json
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client import REGISTRY

from rootward.errors import Busy
from rootward.model.series import SampleBatch
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.desk import Problem
from rootward_ingest.intake import Intake, Limits
from rootward_ingest.otlp import JsonForm, OtlpRoute
from tests.services.otlp_messages import (
    CART,
    CUMULATIVE,
    DELTA,
    JSON,
    NANO,
    NOW,
    PROTOBUF,
    TIME,
    exponential,
    exported,
    gauge,
    histogram,
    send,
    status,
    stored,
    summed,
)


@pytest.mark.parametrize("path", ["/v1/metrics", "/api/v1/otlp/v1/metrics"])
@pytest.mark.parametrize("compress", [lambda body: body, gzip.compress])
def test_a_gauge_is_published_with_its_service_and_instance(
    path: str, compress: Callable[[bytes], bytes], client: TestClient, bus: FakeBus
):
    body = compress(exported(gauge()).SerializeToString())
    headers = PROTOBUF | ({"Content-Encoding": "gzip"} if body[:1] == b"\x1f" else {})
    answer = client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert stored(bus) == {f"queue_size{CART}": 3.5}
    assert bus.published[0].times.tolist() == [NOW]


def test_json_is_taken_as_protobuf_is_and_answered_in_json(client: TestClient, bus: FakeBus):
    written = json_format.MessageToDict(exported(gauge(), summed(CUMULATIVE, monotonic=True)))
    written["resourceMetrics"][0]["aFieldOfALaterVersion"] = {"x": [1]}
    point = written["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][1]["sum"]
    point["aggregationTemporality"] = 2
    point["dataPoints"][0] |= {"timeUnixNano": TIME, "asInt": "40"}
    answer = client.post("/v1/metrics", content=json.dumps(written), headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert stored(bus) == {f"queue_size{CART}": 3.5, f"http_server_requests_total{CART}": 40.0}


def test_an_empty_request_is_a_success(client: TestClient, bus: FakeBus):
    assert send(client, ExportMetricsServiceRequest()) == ExportMetricsServiceResponse()
    answer = client.post("/v1/metrics", content=b"{}", headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert not bus.published


def counted(reason: str) -> float:
    name = "rootward_ingest_rejected_samples_total"
    return REGISTRY.get_sample_value(name, {"reason": reason, "tenant": "default"}) or 0.0


def test_a_part_that_is_refused_is_a_partial_success_with_its_data_points(
    client: TestClient, bus: FakeBus
):
    before = counted("bad_data_point"), counted("too_old")
    late = histogram(CUMULATIVE, time_unix_nano=TIME - 3601 * NANO)
    answer = send(client, exported(gauge(), late, summed(0, monotonic=True)))
    assert answer.partial_success.rejected_data_points == 2
    told = answer.partial_success.error_message
    assert "2 data points refused" in told
    assert "temporality must be cumulative or delta: 1 data points" in told
    assert "too_old" in told
    assert counted("bad_data_point") == before[0] + 1
    assert counted("too_old") == before[1] + 5  # samples: a histogram is several series
    assert stored(bus) == {f"queue_size{CART}": 3.5}


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (Metric(name="empty", gauge={"data_points": [{"time_unix_nano": TIME}]}), "needs a value"),
        (summed(DELTA, monotonic=True, start_time_unix_nano=0), "needs its start time"),
        (summed(DELTA, monotonic=True, start_time_unix_nano=TIME), "needs its start time"),
        (histogram(0), "temporality must be"),
        (histogram(CUMULATIVE, bucket_counts=[1, 2]), "do not belong together"),
        (histogram(CUMULATIVE, explicit_bounds=[1.0, 0.1]), "do not belong together"),
        (histogram(CUMULATIVE, explicit_bounds=[0.1, math.nan]), "do not belong together"),
        (exponential(-11, 0, [1]), "do not belong together"),
        (gauge(name=""), "a metric needs a name"),
        (gauge(value=math.inf), "infinite"),
        (gauge(time_unix_nano=0), "too_old"),
    ],
)
def test_where_every_data_point_is_refused_the_answer_is_400(
    metric: Metric, told: str, client: TestClient, bus: FakeBus
):
    body = exported(metric).SerializeToString()
    code, rpc, message = status(client.post("/v1/metrics", content=body, headers=PROTOBUF))
    assert (code, rpc) == (400, 3)
    assert told in message
    assert not bus.published


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        (PROTOBUF | {"Content-Encoding": "zstd"}, 415),
        (JSON | {"Content-Encoding": "br"}, 415),
    ],
)
def test_another_type_or_encoding_is_415(
    headers: dict[str, str], expected: int, client: TestClient
):
    answer = client.post("/v1/metrics", content=b"", headers=headers)
    assert status(answer)[:2] == (expected, 3)


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x05torn",
        b"[1",
        b'{"resourceMetrics": 7}',
        b"\xff\xfe",
        b"[" * 100_000,
        gzip.compress(b"\x0a\x05torn"),
        gzip.compress(exported(gauge()).SerializeToString())[:-9],
        b"\x1f\x8bnot gzip after all",
    ],
    ids=[
        *("torn protobuf", "torn json", "wrong shape", "no text", "deep nesting"),
        *("torn in gzip", "cut gzip", "no gzip"),
    ],
)
def test_a_body_that_cannot_be_read_is_400_in_the_encoding_of_the_request(
    headers: dict[str, str], body: bytes, client: TestClient, bus: FakeBus
):
    answer = client.post("/v1/metrics", content=body, headers=headers)
    assert answer.headers["content-type"] == headers["Content-Type"]
    assert status(answer)[:2] == (400, 3)
    assert not bus.published


def test_a_gzip_bomb_is_413(fake_platform: Platform):
    client = TestClient(create_app(fake_platform, Limits(max_decompressed_bytes=100_000)))
    bomb = gzip.compress(bytes(100_001))
    assert len(bomb) < 1000
    headers = PROTOBUF | {"Content-Encoding": "gzip"}
    answer = client.post("/v1/metrics", content=bomb, headers=headers)
    assert status(answer)[:2] == (413, 8)


def test_gzip_of_several_members_is_read_to_its_end(client: TestClient, bus: FakeBus):
    body = exported(gauge("a")).SerializeToString(), exported(gauge("b")).SerializeToString()
    sent = gzip.compress(body[0]) + gzip.compress(body[1])
    answer = client.post("/v1/metrics", content=sent, headers=PROTOBUF)
    assert answer.status_code == 200
    assert sorted(stored(bus)) == [f"a{CART}", f"b{CART}"]


class FullBus(FakeBus):
    """A bus that is full."""

    def publish(self, batch: SampleBatch) -> None:
        raise Busy("full", retry_after_seconds=7.0)


@pytest.mark.parametrize("headers", [PROTOBUF, JSON])
def test_a_full_bus_is_503_with_retry_after(headers: dict[str, str], fake_platform: Platform):
    client = TestClient(create_app(replace(fake_platform, bus=FullBus()), Limits()))
    request = exported(gauge())
    body = request.SerializeToString()
    if headers == JSON:
        body = json_format.MessageToJson(request).encode()
    answer = client.post("/v1/metrics", content=body, headers=headers)
    assert status(answer)[:2] == (503, 14)
    assert answer.headers["retry-after"] == "7"


def test_a_slow_sender_is_told_to_try_again_which_408_would_not(fake_platform: Platform):
    route = OtlpRoute(Intake(fake_platform, Limits()), JsonForm())
    answer = route.refuse(Problem(408, "Too slow", "the body did not arrive in time"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert json.loads(answer.body)["code"] == 14


def test_a_series_limit_refuses_new_series_alone(fake_platform: Platform, bus: FakeBus):
    client = TestClient(create_app(fake_platform, Limits(max_series=1)))
    send(client, exported(gauge("known")))
    answer = send(client, exported(gauge("known"), gauge("new")))
    assert answer.partial_success.rejected_data_points == 1
    assert "series_limit" in answer.partial_success.error_message
    assert len(bus.published[1]) == 1
