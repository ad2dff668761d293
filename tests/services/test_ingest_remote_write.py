"""Remote write over HTTP: every row of the table of status codes."""

import asyncio
import math
import struct
import threading
from dataclasses import replace

import cramjam
import numpy as np
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from rootward.errors import Busy, Unavailable
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform, WindowQuery
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_ingest.app import create_app
from rootward_ingest.columns import STALE_BITS
from rootward_ingest.intake import Limits
from rootward_ingest.messages import WriteRequestMessage

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
NOW = 1_700_000_000.0
CART = {"__name__": "up", "service": "cart"}
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


def encoded(*series: tuple[dict[str, str], list[tuple[float, float]]]) -> bytes:
    """A write request before compression; samples are (value, Unix seconds)."""
    request = WriteRequestMessage()
    for labels, samples in series:
        one = request.timeseries.add()
        for name, value in labels.items():
            one.labels.add(name=name, value=value)
        for value, time in samples:
            one.samples.add(value=value, timestamp=round(time * 1000))
    return request.SerializeToString()


def packed(content: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(content))


def body(value: float = 1.0, time: float = NOW) -> bytes:
    return packed(encoded((CART, [(value, time)])))


def client_of(platform: Platform, limits: Limits | None = None) -> TestClient:
    return TestClient(create_app(platform, limits or Limits()))


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    return client_of(fake_platform)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class RefusingBus(FakeBus):
    """A bus whose `publish` raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def publish(self, batch: SampleBatch) -> None:
        raise self.error


@pytest.mark.parametrize("path", ["/api/v1/write", "/api/v1/push"])
def test_samples_are_published_and_answered_with_204(path: str, client: TestClient, bus: FakeBus):
    sent = packed(
        encoded(
            (CART | {"instance": "a"}, [(1.5, NOW), (0.0, NOW + 15)]),
            ({"__name__": "up", "job": "shop/user"}, [(2.0, NOW - 1)]),
        )
    )
    answer = client.post(path, content=sent, headers=HEADERS)
    assert (answer.status_code, answer.content) == (204, b"")
    (batch,) = bus.published
    assert batch.series == (
        Series.of("up", "cart", instance="a"),
        Series.of("up", "user", job="shop/user"),
    )
    assert batch.index.tolist() == [0, 0, 1]
    assert batch.times.tolist() == [NOW, NOW + 15, NOW - 1]
    assert batch.values.tolist() == [1.5, 0.0, 2.0]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/x-protobuf"},
        HEADERS | {"Content-Encoding": "gzip"},
        HEADERS | {"Content-Type": "application/json"},
        HEADERS | {"Content-Type": "application/x-protobuf;proto=prometheus.WriteRequestV3"},
    ],
)
def test_another_kind_of_body_is_415(headers: dict[str, str], client: TestClient, bus: FakeBus):
    answer = client.post("/api/v1/write", content=body(), headers=headers)
    assert answer.status_code == 415
    assert answer.headers["content-type"].startswith("text/plain")
    assert "unsupported" in answer.text
    assert not bus.published


def test_the_message_may_be_named_in_the_content_type(client: TestClient):
    headers = HEADERS | {"Content-Type": "application/x-protobuf; proto=prometheus.WriteRequest"}
    assert client.post("/api/v1/write", content=body(), headers=headers).status_code == 204


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"not snappy at all",
        body()[:-3],
        b"\xff\xff\xff\x7f" + body(),
        bytes(cramjam.snappy.compress(encoded((CART, [(1.0, NOW)])))),
        packed(encoded((CART, [(1.0, NOW)]))[:-4]),
        packed(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        packed(b"\x0a\x04\x0a\x02\x0a\x01"),
    ],
)
def test_a_body_that_cannot_be_read_is_400_with_a_reason(
    sent: bytes, client: TestClient, bus: FakeBus
):
    answer = client.post("/api/v1/write", content=sent, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.text.startswith("unreadable body: ")
    assert not bus.published


def test_a_body_over_the_limit_is_413_whether_its_size_is_announced_or_not(
    fake_platform: Platform,
):
    client = client_of(fake_platform, Limits(max_body_bytes=40))
    announced = client.post("/api/v1/write", content=b"x" * 41, headers=HEADERS)
    streamed = client.post("/api/v1/write", content=iter([b"x" * 30, b"x" * 30]), headers=HEADERS)
    assert (announced.status_code, streamed.status_code) == (413, 413)
    assert "40 bytes" in streamed.text


def test_a_zip_bomb_is_413(fake_platform: Platform):
    client = client_of(fake_platform, Limits(max_decompressed_bytes=10_000))
    answer = client.post("/api/v1/write", content=packed(bytes(10_001)), headers=HEADERS)
    assert answer.status_code == 413
    assert "10001" in answer.text


def test_wrong_samples_are_400_with_counts_and_the_others_are_kept(
    client: TestClient, bus: FakeBus
):
    sent = packed(
        encoded(
            (CART, [(1.0, NOW), (math.inf, NOW + 1), (-math.inf, NOW + 2)]),
            ({"__name__": "up"}, [(1.0, NOW)]),
            ({"service": "cart"}, [(1.0, NOW)]),
            ({"__name__": "late", "service": "cart"}, [(1.0, NOW - 3601)]),
            ({"__name__": "early", "service": "cart"}, [(1.0, NOW + 601)]),
        )
    )
    infinite = {"reason": "infinite", "tenant": "default"}
    before = counted("rootward_ingest_rejected_samples_total", **infinite)
    answer = client.post("/api/v1/write", content=sent, headers=HEADERS)
    assert answer.status_code == 400
    assert answer.text.splitlines()[0] == (
        "6 samples rejected (infinite: 2, no_name: 1, no_service: 1, too_far_ahead: 1, "
        "too_old: 1); 1 accepted"
    )
    assert "over 600 s ahead of our clock; first: cart|early" in answer.text
    assert "service_name" in answer.text
    (batch,) = bus.published
    assert batch.series == (Series.of("up", "cart"),)
    assert batch.values.tolist() == [1.0]
    assert (
        counted("rootward_ingest_rejected_samples_total", reason="infinite", tenant="default")
        == before + 2
    )


@pytest.mark.parametrize("shift", [-3600, 600])
def test_a_clock_that_is_off_within_bounds_is_accepted(shift: float, client: TestClient):
    answer = client.post("/api/v1/write", content=body(time=NOW + shift), headers=HEADERS)
    assert answer.status_code == 204


def test_rejected_samples_do_not_use_up_the_series_limit(
    fake_platform: Platform,
):
    client = client_of(fake_platform, Limits(max_series=1))
    old = packed(encoded(({"__name__": "old", "service": "a"}, [(1.0, NOW - 9999)])))
    assert client.post("/api/v1/write", content=old, headers=HEADERS).status_code == 400
    assert client.post("/api/v1/write", content=body(), headers=HEADERS).status_code == 204


def test_nan_and_staleness_markers_are_carried_as_nan(client: TestClient, bus: FakeBus):
    before = counted("rootward_ingest_stale_markers_total")
    sent = packed(encoded((CART, [(math.nan, NOW), (STALE, NOW + 1), (3.0, NOW + 2)])))
    assert client.post("/api/v1/write", content=sent, headers=HEADERS).status_code == 204
    assert np.isnan(bus.published[0].values).tolist() == [True, True, False]
    assert counted("rootward_ingest_stale_markers_total") == before + 1


def test_duplicates_and_samples_out_of_order_are_accepted_and_stored_once(platform: Platform):
    client, stored = client_of(platform), threading.Event()
    sent = packed(encoded((CART, [(2.0, NOW + 15), (1.0, NOW), (1.0, NOW)])))
    for _ in range(2):
        assert client.post("/api/v1/write", content=sent, headers=HEADERS).status_code == 204

    def store(batch: SampleBatch) -> None:
        platform.samples.append(batch)
        if platform.bus.backlog() <= 2:
            stored.set()

    platform.bus.serve(store)
    assert stored.wait(20)
    window = platform.samples.window(WindowQuery(NOW + 15, rows=2, step_seconds=15.0))
    assert window.values[:, 0].tolist() == [1.0, 2.0]


def test_what_was_answered_with_204_waits_on_the_bus_of_the_next_process(platform: Platform):
    assert client_of(platform).post("/api/v1/write", content=body(), headers=HEADERS).is_success
    assert platform.bus.backlog() == 1


def test_metadata_alone_is_accepted_and_nothing_is_published(client: TestClient, bus: FakeBus):
    metadata = WriteRequestMessage()
    metadata.metadata.add()
    sent = packed(metadata.SerializeToString())
    assert client.post("/api/v1/write", content=sent, headers=HEADERS).status_code == 204
    assert not bus.published


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [(Busy("full", retry_after_seconds=2.2), "3"), (Unavailable("database gone"), "5")],
)
def test_a_bus_that_does_not_take_samples_is_503_with_retry_after(
    error: Exception, retry_after: str, fake_platform: Platform
):
    client = client_of(replace(fake_platform, bus=RefusingBus(error)))
    answer = client.post("/api/v1/write", content=body(), headers=HEADERS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, retry_after)
    assert str(error) in answer.text


class StuckBus(FakeBus):
    """A bus whose `publish` takes until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()

    def publish(self, batch: SampleBatch) -> None:
        self.entered.set()
        assert self.let_go.wait(20)
        super().publish(batch)


def test_a_slow_bus_holds_up_nobody_else_and_what_is_in_flight_is_bounded(
    fake_platform: Platform,
):
    bus = StuckBus()
    tight = Limits(
        max_body_bytes=40_000, max_decompressed_bytes=40_000, max_parts=100, max_inflight_bytes=0
    )
    answers: list[int] = []
    with client_of(replace(fake_platform, bus=bus), tight) as client:

        def send() -> None:
            answers.append(
                client.post("/api/v1/write", content=body(), headers=HEADERS).status_code
            )

        first = threading.Thread(target=send)
        first.start()
        assert bus.entered.wait(20)
        assert client.get("/livez").status_code == 200
        second = client.post("/api/v1/write", content=body(), headers=HEADERS)
        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        bus.let_go.set()
        first.join()
        third = client.post("/api/v1/write", content=body(), headers=HEADERS)
    assert (answers, third.status_code) == ([204], 204)


def _spoken(platform: Platform, limits: Limits, *messages: dict[str, object]) -> int:
    """The status of a request whose sender says these messages and then nothing more."""
    app = create_app(platform, limits)
    waiting = list(messages)
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/write",
        "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()],
    }
    asyncio.run(app(scope, receive, send))
    (status,) = statuses
    return status


def test_a_sender_that_never_ends_its_body_is_408(fake_platform: Platform, bus: FakeBus):
    begun = {"type": "http.request", "body": body()[:5], "more_body": True}
    assert _spoken(fake_platform, Limits(max_read_seconds=0.01), begun) == 408
    assert not bus.published


def test_a_sender_that_hangs_up_leaves_nothing_behind(fake_platform: Platform, bus: FakeBus):
    begun = {"type": "http.request", "body": body(), "more_body": True}
    before = counted("rootward_ingest_inflight_bytes")
    assert _spoken(fake_platform, Limits(), begun, {"type": "http.disconnect"}) == 499
    assert counted("rootward_ingest_inflight_bytes") == before
    assert not bus.published


def test_stored_series_are_known_after_a_restart_and_new_ones_are_refused_at_the_limit(
    fake_platform: Platform,
):
    stored = Series.of("up", "cart")
    fake_platform.samples.append(
        SampleBatch("default", (stored,), np.zeros(1, np.int32), np.array([NOW]), np.ones(1))
    )
    client = client_of(fake_platform, Limits(max_series=1))
    new = packed(encoded(({"__name__": "new", "service": "cart"}, [(1.0, NOW)])))
    refused = client.post("/api/v1/write", content=new, headers=HEADERS)
    assert refused.status_code == 400
    assert "series_limit: 1" in refused.text
    assert client.post("/api/v1/write", content=body(), headers=HEADERS).status_code == 204


def test_idle_series_make_room_once_a_minute(fake_platform: Platform, clock: ManualClock):
    client = client_of(fake_platform, Limits(max_series=1, max_age_seconds=100.0))

    def send(name: str) -> int:
        one = packed(encoded(({"__name__": name, "service": "a"}, [(1.0, clock.now())])))
        return client.post("/api/v1/write", content=one, headers=HEADERS).status_code

    assert send("first") == 204
    clock.advance(50.0)
    assert [send("second"), send("first")] == [400, 204]
    clock.advance(101.0)
    assert [send("second"), send("second"), send("first")] == [400, 204, 400]


def test_ingest_starts_although_the_store_does_not_answer(
    fake_platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    def gone(tenant: str = "default") -> tuple[()]:
        raise Unavailable("database gone")

    monkeypatch.setattr(fake_platform.samples, "series", gone)
    answer = client_of(fake_platform).post("/api/v1/write", content=body(), headers=HEADERS)
    assert answer.status_code == 204
