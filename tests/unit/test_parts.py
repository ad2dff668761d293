"""Parts are counted before they are built: never too few, and only so many."""

import json
from collections.abc import Iterator

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from rootward.errors import TooLarge
from rootward_ingest import parts
from rootward_ingest.messages import TimeSeriesMessage, WriteRequestMessage
from tests.unit.wire import chunk, sample

MANY = 10**9


def exact(data: bytes, kind: type[Message] = ExportMetricsServiceRequest) -> int:
    """What a walk along the fields counts: the least limit that lets the bytes pass."""
    below, above = -1, 10 * len(data) + 1
    while above - below > 1:
        middle = (below + above) // 2
        try:
            parts.require_protobuf(data, kind, middle)
            above = middle
        except TooLarge:
            below = middle
    return above


def messages(one: Message) -> Iterator[Message]:
    """All messages below one."""
    for field, value in one.ListFields():
        if field.message_type is not None:
            for inner in value if field.is_repeated else [value]:
                yield inner
                yield from messages(inner)


pairs = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
points = st.lists(st.tuples(pairs, st.lists(st.integers(0, 2**63), max_size=20)), max_size=3)


@st.composite
def requests(draw: st.DrawFn) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for attributes, numbers in draw(points):
        resource = request.resource_metrics.add()
        resource.resource.attributes.add(key="a").value.string_value = "b"
        metric = resource.scope_metrics.add().metrics.add(name="m")
        point = metric.exponential_histogram.data_points.add()
        point.positive.bucket_counts.extend(numbers)
        for key, text in attributes.items():
            point.attributes.add(key=key).value.string_value = text
    return request


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(requests())
def test_a_message_never_has_more_messages_than_parts(request_: ExportMetricsServiceRequest):
    data = request_.SerializeToString()
    assert parts.require_protobuf(data, ExportMetricsServiceRequest, MANY) >= exact(data)
    assert exact(data) >= sum(1 for _ in messages(request_))


@given(st.binary(max_size=200))
def test_any_bytes_are_counted_without_a_fault(data: bytes):
    for limit in (MANY, 2, 0):
        try:
            parts.require_protobuf(data, ExportMetricsServiceRequest, limit)
            parts.require_entries(data, limit)
        except TooLarge:
            assert limit < MANY


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
        max_leaves=20,
    )
)
def test_json_never_has_more_values_than_are_counted(value: object):
    def size(one: object) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        return 1 + sum(map(size, inner))

    assert parts.require_json(json.dumps(value).encode(), MANY) >= size(value)


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x00" * 1001,
        b"\x8a\x80\x00\x00" * 1001,  # the same tag, spelled too long
        chunk(0x0A, b"\x12\x00" * 1001),
        chunk(0x0A, chunk(0x12, chunk(0x12, chunk(0x52, chunk(0x0A, chunk(0x42, chunk(
            0x12, b"\x01" * 1001 * parts.PACKED))))))),
    ],
    ids=["empty messages", "overlong tags", "nested", "packed numbers"],
)  # fmt: skip
def test_what_is_small_on_the_wire_and_large_in_memory_is_refused(data: bytes):
    with pytest.raises(TooLarge) as refused:
        parts.require_protobuf(data, ExportMetricsServiceRequest, 1000)
    assert refused.value.limit == "parts"


def test_a_long_text_is_one_part_whatever_bytes_it_is_of():
    series = chunk(0x0A, chunk(0x0A, b"a") + chunk(0x12, b"\x0a" * 5000)) + sample(1.0, 1)
    assert parts.require_protobuf(series, TimeSeriesMessage, 20) == 4
    assert exact(chunk(0x0A, series), WriteRequestMessage) == 5


def test_entries_are_counted_at_the_top_alone():
    data = chunk(0x0A, b"\x0a\x00" * 50) * 10
    parts.require_entries(data, 10)
    with pytest.raises(TooLarge, match="over 9 messages"):
        parts.require_entries(data, 9)
