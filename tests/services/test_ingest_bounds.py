"""What is small on the wire and large in memory is refused before it is built."""

import gzip

import cramjam
import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from prometheus_client import REGISTRY

from rootward.errors import InvalidInput
from rootward.model.series import Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest import labels, otlp_points
from rootward_ingest.app import create_app
from rootward_ingest.exposition import Exposition
from rootward_ingest.intake import Limits
from rootward_ingest.known_series import SPAN_BYTES, SPANS_PER_SERIES, KnownSeries
from rootward_ingest.reasons import Reason
from tests.services.otlp_messages import CUMULATIVE, PROTOBUF, exported, gauge, histogram, summed
from tests.unit.wire import Version2, chunk, sample

NOW_MS = 1_700_000_000_000
SNAPPY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
SECOND = SNAPPY | {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
GZIP = PROTOBUF | {"Content-Encoding": "gzip"}
JSON = {"Content-Type": "application/json"}
TIGHT = Limits(max_parts=1000, max_samples=100)


def counted(limit: str) -> float:
    name = "rootward_ingest_refused_requests_total"
    return REGISTRY.get_sample_value(name, {"limit": limit, "tenant": "default"}) or 0.0


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    return TestClient(create_app(fake_platform, TIGHT))


def snappy(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))


def label(name: str, value: str) -> bytes:
    return chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))


CART = label("__name__", "up") + label("service", "cart")
EMPTY_MESSAGES = b"\x0a\x00" * 1001


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/metrics", GZIP, gzip.compress(EMPTY_MESSAGES)),
        ("/v1/metrics", JSON, b'{"resourceMetrics": [' + b"{}," * 1000 + b"{}]}"),
        ("/api/v1/samples", JSON, b'{"samples": [' + b"[]," * 1000 + b"[]]}"),
        ("/api/v1/write", SNAPPY, snappy(EMPTY_MESSAGES)),
        ("/api/v1/write", SNAPPY, snappy(chunk(0x0A, EMPTY_MESSAGES))),
        ("/api/v1/write", SNAPPY, snappy(chunk(0x0A, CART + sample(1, NOW_MS) * 1001))),
        ("/api/v1/write", SECOND, snappy(b"\x22\x00" * 1001)),
        ("/api/v1/write", SECOND, snappy(chunk(0x2A, chunk(0x0A, bytes(17_000))))),
    ],
    ids=[
        *("otlp", "otlp json", "json", "series", "labels", "samples of a series"),
        *("symbols", "references"),
    ],
)
def test_too_many_parts_are_413_and_counted(
    path: str, headers: dict[str, str], body: bytes, client: TestClient, bus: FakeBus
):
    before = counted("parts")
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 413
    assert b"over 1000 messages, texts or values" in answer.content
    assert counted("parts") == before + 1
    assert not bus.published


def version_2(series: int) -> bytes:
    request = Version2()
    for k in range(series):
        request.add({"__name__": "up", "service": f"s{k}"}, sample(1.0, NOW_MS))
    return request.encoded()


def rows(count: int) -> bytes:
    one = b'{"metric": "up", "service": "cart", "time": 1700000000, "value": 1}'
    return b'{"samples": [' + b",".join([one] * count) + b"]}"


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/v1/metrics", PROTOBUF, exported(*[gauge()] * 101).SerializeToString()),
        ("/api/v1/samples", JSON, rows(101)),
        ("/api/v1/write", SNAPPY, snappy(chunk(0x0A, CART + sample(1, NOW_MS)) * 101)),
        ("/api/v1/write", SECOND, snappy(version_2(101))),
    ],
    ids=["otlp", "json", "remote write 1.0", "remote write 2.0"],
)
def test_too_many_samples_are_413_and_counted(
    path: str, headers: dict[str, str], body: bytes, fake_platform: Platform, bus: FakeBus
):
    client = TestClient(create_app(fake_platform, Limits(max_samples=100)))
    before = counted("samples")
    answer = client.post(path, content=body, headers=headers)
    assert answer.status_code == 413
    assert b"over 100 samples in a request" in answer.content
    assert counted("samples") == before + 1
    assert not bus.published


def test_what_is_within_the_bounds_is_taken(client: TestClient, bus: FakeBus):
    body = snappy(chunk(0x0A, CART + sample(1, NOW_MS)) * 100)
    assert client.post("/api/v1/write", content=body, headers=SNAPPY).status_code == 204
    assert len(bus.published[0]) == 100


def test_a_histogram_of_too_many_buckets_is_no_sample():
    bounds = [float(k) for k in range(otlp_points.MOST_BUCKETS)]
    wide = histogram(CUMULATIVE, explicit_bounds=bounds, bucket_counts=[1] * (len(bounds) + 1))
    request = ExportMetricsServiceRequest()
    request.CopyFrom(exported(wide, summed(CUMULATIVE, monotonic=True)))
    decoded = otlp_points.decode(request, KnownSeries(1000, idle_seconds=3600))
    assert decoded.unusable == {otlp_points.TOO_MANY_BUCKETS: 1}
    assert len(decoded.points) == 1


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({f"l{k}": "x" for k in range(63)}, Reason.TOO_MANY_LABELS),
        ({"n" * 513: "x"}, Reason.LABELS_TOO_LONG),
        ({"n": "x" * 4097}, Reason.LABELS_TOO_LONG),
        ({"n": "ü" * 2049}, Reason.LABELS_TOO_LONG),
        ({f"l{k}": "x" * 4000 for k in range(5)}, Reason.LABELS_TOO_LONG),
    ],
)
def test_labels_have_a_number_and_a_length(more: dict[str, str], reason: Reason):
    plain = {"__name__": "up", "service": "cart"}
    assert labels.series_of((plain | more).items()) is reason


def test_labels_at_the_bound_are_taken():
    most = {"__name__": "up", "service": "cart"} | {f"l{k}": "x" for k in range(62)}
    assert isinstance(labels.series_of(most.items()), Series)


def test_long_spellings_are_forgotten_rather_than_kept():
    known = KnownSeries(2, idle_seconds=3600)
    parsed: list[bytes] = []

    def parse(span: bytes) -> list[tuple[str, str]]:
        parsed.append(span)
        return [("__name__", "up"), ("service", "cart")]

    half = SPANS_PER_SERIES * 2 * SPAN_BYTES // 2
    for name in (b"a", b"b", b"a", b"c", b"a"):
        known.of_spans("test", [name * (half - 1)], parse)
    assert [span[:1] for span in parsed] == [b"a", b"b", b"c", b"a"]


def test_a_target_that_exposes_too_many_lines_is_refused():
    with pytest.raises(InvalidInput, match="over 3 lines"):
        Exposition((), most_lines=3).read("a 1\n" * 4, "text/plain")


def test_series_of_very_long_labels_are_fewer():
    known = KnownSeries(4, idle_seconds=3600)

    def admitted(k: int) -> Reason | None:
        long = [(f"l{n}", f"{k}" + "x" * 3000) for n in range(3)]
        slot = known.of_labels([("__name__", "up"), ("service", "cart"), *long])
        slot.seen_unix = 1000.0 * k
        return slot.reason

    assert [admitted(k) for k in (0, 1, 0)] == [None, Reason.SERIES_LIMIT, None]
    known.make_room(now=3600.0 + 1.0)
    assert admitted(1) is None
