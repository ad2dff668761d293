"""OTLP read block by block gives what the generic reader gives, whatever the blocks hold."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics

from rootward.errors import TooLarge, UnreadableBody
from rootward_ingest import otlp_blocks
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import DEFAULTS, Limits
from rootward_ingest.otlp_blocks import Blocks
from rootward_ingest.otlp_points import Decoded, decode
from tests.unit.wire import chunk

NOW = 1_700_000_000 * 10**9
CUMULATIVE, DELTA = 2, 1


def known() -> KnownSeries:
    return KnownSeries(1000, idle_seconds=3600)


def outcome(read: Callable[[], Decoded]) -> object:
    """What a reader made of a body, in comparable form; None where it could not read it."""
    try:
        got = read()
    except (UnreadableBody, DecodeError):
        return None
    readings = got.readings
    return (
        [slot.series or slot.reason for slot in readings.slots],
        readings.times.tolist(),
        readings.values.view(np.uint64).tolist(),
        (readings.stale, dict(readings.ignored), got.total, dict(got.unusable)),
        list(got.points),
    )


class Reader:
    """The block reader, with what it remembers."""

    def __init__(self) -> None:
        self.known, self.blocks = known(), Blocks()

    def __call__(self, body: bytes) -> object:
        return outcome(lambda: self.blocks.decode(body, self.known, DEFAULTS, lambda _: None))


def generic(body: bytes) -> object:
    return outcome(lambda: decode(ExportMetricsServiceRequest.FromString(body), known()))


values = st.floats(width=64) | st.sampled_from([0.0, -0.0, 1.0])
whole = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
counts = st.integers(0, 9) | st.integers(0, 2**64 - 1)
seconds = st.integers(0, 1000)
attributes = st.dictionaries(st.sampled_from(["a", "b", "http.route"]), st.text(max_size=3))
Point = tuple[object, ...]


@st.composite
def shapes(draw: st.DrawFn) -> Callable[[st.DrawFn], bytes]:
    """A request without its numbers: what it gives makes a body of numbers that it draws."""
    resources = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["cart", "user", ""]),
                st.lists(st.tuples(kinds, st.lists(attributes, max_size=3)), max_size=3),
            ),
            max_size=3,
        )
    )

    def fill(draw: st.DrawFn) -> bytes:
        request = ExportMetricsServiceRequest()
        for service, metrics in resources:
            owner = request.resource_metrics.add()
            owner.resource.attributes.add(key="service.name").value.string_value = service
            scope = owner.scope_metrics.add()
            for place, (kind, points) in enumerate(metrics):
                metric = scope.metrics.add(name=f"m.{place}", unit="s")
                for one in points:
                    point = _POINTS[kind](metric, draw)
                    point.time_unix_nano = NOW + draw(seconds) * 10**9
                    point.start_time_unix_nano = NOW - draw(seconds)
                    for key, text in one.items():
                        point.attributes.add(key=key).value.string_value = text
        return request.SerializeToString()

    return fill


def _gauge(metric: Metric, draw: st.DrawFn) -> object:
    return metric.gauge.data_points.add(as_double=draw(values))


def _integer(metric: Metric, draw: st.DrawFn) -> object:
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = CUMULATIVE, True
    return metric.sum.data_points.add(as_int=draw(whole))


def _delta(metric: Metric, draw: st.DrawFn) -> object:
    metric.sum.aggregation_temporality = DELTA
    return metric.sum.data_points.add(as_double=draw(values))


def _flagged(metric: Metric, draw: st.DrawFn) -> object:
    return metric.gauge.data_points.add(as_double=draw(values), flags=draw(st.integers(0, 1)))


def _empty(metric: Metric, draw: st.DrawFn) -> object:
    return metric.gauge.data_points.add()


def _histogram(metric: Metric, draw: st.DrawFn) -> object:
    metric.histogram.aggregation_temporality = CUMULATIVE
    point = metric.histogram.data_points.add(count=draw(counts), sum=draw(values))
    point.bucket_counts.extend(draw(counts) for _ in range(3))
    point.explicit_bounds.extend([0.5, 1.0])
    if draw(st.booleans()):
        point.min, point.max = draw(values), draw(values)
    return point


def _example(metric: Metric, draw: st.DrawFn) -> object:
    point = _histogram(metric, draw)
    point.exemplars.add(as_double=draw(values))
    return point


def _misshapen(metric: Metric, draw: st.DrawFn) -> object:
    point = _histogram(metric, draw)
    point.explicit_bounds.append(0.25)
    return point


def _summary(metric: Metric, draw: st.DrawFn) -> object:
    point = metric.summary.data_points.add(count=3, sum=draw(values))
    point.quantile_values.add(quantile=0.5, value=draw(values))
    return point


_POINTS = {
    f.__name__: f
    for f in (
        _gauge, _integer, _delta, _flagged, _empty, _histogram, _example, _misshapen, _summary
    )
}  # fmt: skip
kinds = st.sampled_from(["_gauge", "_integer", "_histogram"] * 3 + sorted(_POINTS))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(shapes(), st.data())
def test_blocks_that_come_again_with_other_numbers_are_read_right(
    fill: Callable[[st.DrawFn], bytes], data: st.DataObject
):
    reader = Reader()
    for _ in range(5):
        body = fill(data.draw)
        assert reader(body) == generic(body)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(shapes(), st.data())
def test_damaged_and_odd_bodies_are_read_right(
    fill: Callable[[st.DrawFn], bytes], data: st.DataObject
):
    reader = Reader()
    for _ in range(3):
        reader(fill(data.draw))
    body = bytearray(fill(data.draw))
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    more = data.draw(st.sampled_from([b"", chunk(0x7A, b"later"), b"\x0a\x05torn", b"\x0a\x00"]))
    for sent in (bytes(body), bytes(body[: data.draw(st.integers(0, len(body)))]), body + more):
        assert reader(bytes(sent)) == generic(bytes(sent))


def _export(step: int) -> bytes:
    request = ExportMetricsServiceRequest()
    for service in ("cart", "user"):
        owner: ResourceMetrics = request.resource_metrics.add()
        owner.resource.attributes.add(key="service.name").value.string_value = service
        scope = owner.scope_metrics.add()
        metric = scope.metrics.add(name="requests", unit="1")
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = CUMULATIVE, True
        for k in range(20):
            point = metric.sum.data_points.add(time_unix_nano=NOW + step * 10**9, as_int=step * k)
            point.attributes.add(key="route").value.string_value = f"/{k}"
        latency = scope.metrics.add(name="latency", unit="s").histogram
        latency.aggregation_temporality = CUMULATIVE
        point = latency.data_points.add(time_unix_nano=NOW + step * 10**9, count=6, sum=1.5)
        point.bucket_counts.extend([step, step + 1, 3])
        point.explicit_bounds.extend([0.5, 1.0])
    return request.SerializeToString()


def test_the_third_export_is_read_without_the_generic_reader(monkeypatch: pytest.MonkeyPatch):
    reader = Reader()
    for step in (1, 2):
        reader(_export(step))

    def unexpected(*_: object) -> Sequence[object]:
        raise AssertionError("took the slow path")

    monkeypatch.setattr(otlp_blocks, "_generic", unexpected)
    assert reader(_export(3)) == generic(_export(3))


def test_a_series_that_joins_is_read_and_learnt():
    reader = Reader()
    for step in range(4):
        body = _export(step) + _export(step) * (step > 1)
        assert reader(body) == generic(body)


def test_templates_are_forgotten_at_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(otlp_blocks, "MOST_BYTES", 20_000)
    reader = Reader()
    for step in range(200):
        request = ExportMetricsServiceRequest.FromString(_export(step))
        request.resource_metrics[0].resource.attributes[0].value.string_value = f"cart-{step // 10}"
        assert reader(request.SerializeToString()) == generic(request.SerializeToString())
        assert reader.blocks._bytes < 40_000


def test_numbers_too_large_to_add_are_left_to_the_generic_reader():
    reader = Reader()
    for counts in ([1, 2, 3], [2, 3, 4], [2**63, 2**63, 2**63]):
        request = ExportMetricsServiceRequest()
        owner = request.resource_metrics.add()
        owner.resource.attributes.add(key="service.name").value.string_value = "cart"
        metric = owner.scope_metrics.add().metrics.add(name="latency")
        metric.histogram.aggregation_temporality = CUMULATIVE
        point = metric.histogram.data_points.add(time_unix_nano=NOW, count=5)
        point.bucket_counts.extend(counts)
        point.explicit_bounds.extend([0.5, 1.0])
        body = request.SerializeToString()
        assert reader(body) == generic(body)


def test_too_many_parts_and_samples_are_refused():
    body, blocks = _export(1), Blocks()
    with pytest.raises(TooLarge):
        blocks.decode(body, known(), Limits(max_parts=10), lambda _: None)
    with pytest.raises(TooLarge):
        blocks.decode(body, known(), Limits(max_samples=10), lambda _: None)
    with pytest.raises(TooLarge):
        blocks.decode(b"\x0a\x00" * 200, known(), Limits(max_parts=100), lambda _: None)


def test_a_not_a_number_keeps_its_bits():
    reader, odd = Reader(), struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    for value in (1.0, 2.0, odd):
        request = ExportMetricsServiceRequest()
        owner = request.resource_metrics.add()
        owner.resource.attributes.add(key="service.name").value.string_value = "cart"
        metric = owner.scope_metrics.add().metrics.add(name="up")
        metric.gauge.data_points.add(time_unix_nano=NOW, as_double=value)
        body = request.SerializeToString()
        assert reader(body) == generic(body)
