"""Bodies that fail by a bug of ours: kept, tried again, and refused in the end."""

import json
import logging
from dataclasses import replace

import cramjam
import httpx2
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from rootward.errors import Unavailable
from rootward.model.series import SampleBatch
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, FakeQuarantine
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
from tests.services.otlp_messages import exported, gauge
from tests.unit.wire import Version2, sample

V2 = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "Content-Encoding": "snappy",
}
OTLP = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
NOW_MS = 1_700_000_000_000


def packed(value: float) -> bytes:
    labels = {"__name__": "up", "service": "cart"}
    request = Version2().add(labels, sample(value, NOW_MS)).encoded()
    return bytes(cramjam.snappy.compress_raw(request))


def written(value: float) -> bytes:
    one = {"service": "cart", "metric": "up", "time": NOW_MS / 1000, "value": value}
    return json.dumps({"samples": [one]}).encode()


class BrokenBus(FakeBus):
    """A bus with a bug, which can be mended."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = True

    def publish(self, batch: SampleBatch) -> None:
        if self.broken:
            raise ZeroDivisionError("secret")
        super().publish(batch)


@pytest.fixture
def bus() -> BrokenBus:
    return BrokenBus()


@pytest.fixture
def platform_with_a_bug(fake_platform: Platform, bus: BrokenBus) -> Platform:
    return replace(fake_platform, bus=bus)


@pytest.fixture
def client(platform_with_a_bug: Platform) -> TestClient:
    return TestClient(create_app(platform_with_a_bug, Limits()))


@pytest.mark.parametrize(
    ("path", "headers", "body", "source"),
    [
        ("/api/v1/write", V2, packed(1.0), "remote_write_v2"),
        ("/v1/metrics", OTLP, exported(gauge()).SerializeToString(), "otlp"),
        ("/api/v1/samples", JSON, written(1.0), "json"),
    ],
)
def test_a_body_that_fails_is_kept_and_refused_the_third_time(
    path: str,
    headers: dict[str, str],
    body: bytes,
    source: str,
    client: TestClient,
    platform_with_a_bug: Platform,
):
    answers = [client.post(path, content=body, headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 400, 400]
    assert [answer.headers.get("retry-after") for answer in answers] == ["5", "5", None, None]
    assert not any(b"secret" in answer.content for answer in answers)
    assert b"do not send it again" in answers[2].content
    quarantine = platform_with_a_bug.quarantine
    assert isinstance(quarantine, FakeQuarantine)
    assert quarantine.kept == {("default", source, body): ("ZeroDivisionError: secret", 4)}


def test_each_body_has_its_own_count(client: TestClient):
    def send(value: float) -> int:
        return client.post("/api/v1/write", content=packed(value), headers=V2).status_code

    assert [send(value) for value in (1.0, 1.0, 2.0, 1.0, 2.0)] == [503, 503, 503, 400, 503]


def test_once_the_bug_is_gone_the_body_is_taken(client: TestClient, bus: BrokenBus):
    def send() -> httpx2.Response:
        return client.post("/api/v1/write", content=packed(1.0), headers=V2)

    assert [send().status_code for _ in range(3)] == [503, 503, 400]
    bus.broken = False
    assert send().status_code == 204
    assert len(bus.published) == 1


def test_the_log_has_the_traceback_and_the_metrics_the_count(
    client: TestClient, caplog: pytest.LogCaptureFixture
):
    labels = {"protocol": "remote_write_v2", "code": "503"}
    before = REGISTRY.get_sample_value("rootward_ingest_requests_total", labels) or 0.0
    with caplog.at_level(logging.ERROR):
        client.post("/api/v1/write", content=packed(1.0), headers=V2)
    assert any(record.exc_info for record in caplog.records)
    assert REGISTRY.get_sample_value("rootward_ingest_requests_total", labels) == before + 1


class Closed(FakeQuarantine):
    """A quarantine whose store does not answer."""

    def keep(self, source: str, body: bytes, reason: str, tenant: str = "default") -> int:
        raise Unavailable("database gone")


def test_a_body_that_cannot_be_kept_is_never_given_up_on(platform_with_a_bug: Platform):
    platform = replace(platform_with_a_bug, quarantine=Closed())
    client = TestClient(create_app(platform, Limits()))
    answers = [client.post("/api/v1/write", content=packed(1.0), headers=V2) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {503}


def test_bad_input_is_not_kept(client: TestClient, platform_with_a_bug: Platform):
    assert client.post("/api/v1/write", content=b"torn", headers=V2).status_code == 400
    assert not platform_with_a_bug.quarantine.kept
