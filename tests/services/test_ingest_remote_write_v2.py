"""Remote write 2.0 over HTTP: negotiation, status codes, and what the headers say was written."""

import logging
from dataclasses import replace

import cramjam
import numpy as np
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from rootward.errors import Busy, Unavailable
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
from tests.unit.wire import Version2, chunk, sample

MEDIA = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
HEADERS = {
    "Content-Type": MEDIA,
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
NOW = 1_700_000_000.0
NOW_MS = 1_700_000_000_000
CART = {"__name__": "up", "service": "cart"}
EXEMPLAR, HISTOGRAM = chunk(0x22, b"\x11" + bytes(8)), chunk(0x1A, b"\x08\x01")


def packed(request: Version2) -> bytes:
    return bytes(cramjam.snappy.compress_raw(request.encoded()))


def written(answer: object) -> tuple[str, str, str]:
    """Samples, histograms and exemplars that the answer says were written."""
    kinds = ("Samples", "Histograms", "Exemplars")
    return tuple(answer.headers[f"X-Prometheus-Remote-Write-{kind}-Written"] for kind in kinds)


@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/push"])
@pytest.mark.parametrize(
    "media",
    [
        MEDIA,
        "application/x-protobuf; proto=io.prometheus.write.v2.Request",
        'Application/X-Protobuf;Proto="io.prometheus.write.v2.Request"',
    ],
)
def test_samples_are_published_and_counted_in_the_headers(
    path: str, media: str, client: TestClient, bus: FakeBus
):
    request = Version2()
    request.add(CART | {"instance": "a"}, sample(1.5, NOW_MS), request.metadata(2, "Up.", ""))
    request.add({"__name__": "up", "job": "shop/user"}, sample(0.0, NOW_MS + 15_000))
    answer = client.post(path, content=packed(request), headers=HEADERS | {"Content-Type": media})
    assert (answer.status_code, answer.content) == (204, b"")
    assert written(answer) == ("2", "0", "0")
    (batch,) = bus.published
    assert batch.series == (
        Series.of("up", "cart", instance="a"),
        Series.of("up", "user", job="shop/user"),
    )
    assert batch.times.tolist() == [NOW, NOW + 15]
    assert batch.values.tolist() == [1.5, 0.0]


def test_both_versions_of_a_series_are_one_series(client: TestClient, bus: FakeBus):
    first = chunk(0x0A, b"".join(_label(*pair) for pair in CART.items()) + sample(1.0, NOW_MS))
    sent = bytes(cramjam.snappy.compress_raw(first))
    version_1 = HEADERS | {"Content-Type": "application/x-protobuf"}
    assert client.post("/api/v1/write", content=sent, headers=version_1).status_code == 204
    second = packed(Version2().add(CART, sample(2.0, NOW_MS + 1)))
    assert client.post("/api/v1/write", content=second, headers=HEADERS).status_code == 204
    assert bus.published[0].series == bus.published[1].series


def _label(name: str, value: str) -> bytes:
    return chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))


def test_an_answer_to_version_1_says_nothing_of_what_was_written(client: TestClient):
    headers = HEADERS | {"Content-Type": "application/x-protobuf"}
    sent = bytes(cramjam.snappy.compress_raw(b""))
    answer = client.post("/api/v1/write", content=sent, headers=headers)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.endswith("-written")]


def test_an_empty_request_is_accepted_and_nothing_was_written(client: TestClient, bus: FakeBus):
    answer = client.post("/api/v1/write", content=packed(Version2()), headers=HEADERS)
    assert (answer.status_code, written(answer)) == (204, ("0", "0", "0"))
    assert not bus.published


def test_a_body_of_one_version_announced_as_the_other_is_400(client: TestClient):
    first = bytes(cramjam.snappy.compress_raw(chunk(0x0A, _label("__name__", "up"))))
    second = packed(Version2().add(CART, sample(1.0, NOW_MS)))
    plain = HEADERS | {"Content-Type": "application/x-protobuf"}
    mistaken = client.post("/api/v1/write", content=second, headers=plain)
    assert (mistaken.status_code, "version 2" in mistaken.text) == (400, True)
    mistaken = client.post("/api/v1/write", content=first, headers=HEADERS)
    assert (mistaken.status_code, "version 1" in mistaken.text) == (400, True)


@pytest.mark.parametrize(
    "media",
    [
        "application/x-protobuf;proto=io.prometheus.write.v3.Request",
        "application/x-protobuf;proto=",
        f"{MEDIA};proto=prometheus.WriteRequest",
        "application/x-protobuf;charset=utf-8",
    ],
)
def test_a_message_that_is_not_known_is_415(media: str, client: TestClient, bus: FakeBus):
    headers = HEADERS | {"Content-Type": media}
    sent = packed(Version2().add(CART, sample(1.0, NOW_MS)))
    assert client.post("/api/v1/write", content=sent, headers=headers).status_code == 415
    assert not bus.published


def test_another_compression_is_415(client: TestClient):
    headers = HEADERS | {"Content-Encoding": "zstd"}
    assert client.post("/api/v1/write", content=b"", headers=headers).status_code == 415


def test_wrong_samples_are_400_and_only_the_others_are_said_to_be_written(
    client: TestClient, bus: FakeBus
):
    request = Version2().add(CART, sample(1.0, NOW_MS), sample(2.0, NOW_MS + 1))
    request.add({"__name__": "up"}, sample(1.0, NOW_MS))
    request.add(CART | {"__name__": "late"}, sample(1.0, NOW_MS - 3_601_000))
    answer = client.post("/api/v1/write", content=packed(request), headers=HEADERS)
    assert (answer.status_code, written(answer)) == (400, ("2", "0", "0"))
    assert answer.text.startswith("2 samples rejected (no_service: 1, too_old: 1); 2 accepted")
    assert bus.published[0].values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("part", "told"),
    [(EXEMPLAR, "exemplar: 1; "), (HISTOGRAM, "histogram: 1; "), (EXEMPLAR * 2, "exemplar: 2; ")],
)
def test_what_is_not_stored_is_never_answered_with_2xx(
    part: bytes, told: str, client: TestClient, bus: FakeBus
):
    before = _ignored()
    request = Version2().add(CART, sample(1.0, NOW_MS), part)
    answer = client.post("/api/v1/write", content=packed(request), headers=HEADERS)
    assert (answer.status_code, written(answer)) == (400, ("1", "0", "0"))
    assert answer.text.startswith("1 samples accepted\n" + told)
    assert len(bus.published[0]) == 1
    assert _ignored() == before + (2 if part == EXEMPLAR * 2 else 1)


def _ignored() -> float:
    names = ("exemplar", "histogram")
    found = [REGISTRY.get_sample_value("rootward_ingest_ignored_total", {"kind": k}) for k in names]
    return sum(count or 0.0 for count in found)


def test_a_series_without_samples_is_400(client: TestClient):
    answer = client.post("/api/v1/write", content=packed(Version2().add(CART)), headers=HEADERS)
    assert (answer.status_code, written(answer)) == (400, ("0", "0", "0"))
    assert "a series needs samples" in answer.text


def test_a_reference_out_of_range_is_400_and_nothing_is_taken(client: TestClient, bus: FakeBus):
    request = Version2().add(CART, sample(1.0, NOW_MS))
    request.series.append(chunk(0x0A, b"\x01\x63") + sample(1.0, NOW_MS))
    answer = client.post("/api/v1/write", content=packed(request), headers=HEADERS)
    assert (answer.status_code, written(answer)) == (400, ("0", "0", "0"))
    assert "reference to symbol 99, but there are 5" in answer.text
    assert not bus.published


def test_a_zip_bomb_is_413_and_the_headers_say_that_nothing_was_written(fake_platform: Platform):
    client = TestClient(create_app(fake_platform, Limits(max_decompressed_bytes=10_000)))
    sent = bytes(cramjam.snappy.compress_raw(bytes(10_001)))
    answer = client.post("/api/v1/write", content=sent, headers=HEADERS)
    assert (answer.status_code, written(answer)) == (413, ("0", "0", "0"))


class RefusingBus(FakeBus):
    """A bus whose `publish` raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def publish(self, batch: SampleBatch) -> None:
        raise self.error


@pytest.mark.parametrize("error", [Busy("full"), Unavailable("database gone")])
def test_a_bus_that_does_not_take_samples_is_503_and_nothing_was_written(
    error: Exception, fake_platform: Platform, caplog: pytest.LogCaptureFixture
):
    platform = replace(fake_platform, bus=RefusingBus(error))
    sent = packed(Version2().add(CART, sample(1.0, NOW_MS)))
    with caplog.at_level(logging.ERROR):
        answer = TestClient(create_app(platform, Limits())).post(
            "/api/v1/write", content=sent, headers=HEADERS
        )
    assert (answer.status_code, written(answer)) == (503, ("0", "0", "0"))
    assert answer.headers["retry-after"]


def test_a_request_sent_again_says_again_that_all_was_written(client: TestClient, bus: FakeBus):
    sent = packed(Version2().add(CART, sample(1.0, NOW_MS)))
    for _ in range(2):
        answer = client.post("/api/v1/write", content=sent, headers=HEADERS)
        assert (answer.status_code, written(answer)) == (204, ("1", "0", "0"))
    assert [np.isnan(batch.values).any() for batch in bus.published] == [False, False]
