"""OTLP messages of any content: whatever can be read becomes samples or is counted as unusable."""

import contextlib
import json
import math

import numpy as np
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from rootward.errors import UnreadableBody
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import DEFAULTS
from rootward_ingest.otlp import JsonForm
from rootward_ingest.otlp_points import Decoded, decode
from tests.services.otlp_messages import (
    CUMULATIVE,
    DELTA,
    exponential,
    exported,
    gauge,
    histogram,
    summed,
)

REQUEST = exported(
    gauge(),
    summed(DELTA, monotonic=True),
    summed(CUMULATIVE, monotonic=False),
    histogram(CUMULATIVE),
    histogram(DELTA),
    exponential(-2, -3, [1, 2, 3]),
    exponential(3, 5, [1, 2, 3], DELTA),
).SerializeToString()


def read(request: ExportMetricsServiceRequest) -> Decoded:
    return decode(request, KnownSeries(1000, idle_seconds=3600))


def test_each_sample_knows_its_data_point():
    got = read(ExportMetricsServiceRequest.FromString(REQUEST))
    assert got.total == 7
    assert not got.unusable
    assert list(dict.fromkeys(got.points)) == list(range(7))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
def test_a_damaged_request_is_unreadable_or_makes_samples(data: st.DataObject):
    damaged = bytearray(REQUEST)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        request = ExportMetricsServiceRequest.FromString(bytes(damaged))
    except DecodeError:
        return
    got = read(request)
    columns = (got.readings.slots, got.readings.times, got.readings.values, got.points)
    assert len({len(column) for column in columns}) == 1
    assert len(set(got.points)) + got.unusable.total() <= got.total
    assert np.isfinite(got.readings.times).all()


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    scale=st.integers(-(2**31), 2**31 - 1),
    offset=st.integers(-(2**31), 2**31 - 1),
    counts=st.lists(st.integers(0, 2**61), max_size=4),
)
def test_any_exponential_histogram_has_ascending_bounds_and_counts(
    scale: int, offset: int, counts: list[int]
):
    metric = exponential(0, offset, counts)
    metric.exponential_histogram.data_points[0].scale = scale
    got = read(exported(metric))
    assert got.unusable.total() == (scale not in range(-10, 21))
    buckets = [
        (float(slot.series.label("le")), value)
        for slot, value in zip(got.readings.slots, got.readings.values, strict=True)
        if slot.series and slot.series.label("le")
    ]
    assert buckets == sorted(buckets)
    assert [value for _, value in buckets] == sorted(value for _, value in buckets)
    assert not buckets or math.isinf(buckets[-1][0])


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.sampled_from(
    "resourceMetrics resource attributes scopeMetrics metrics name sum gauge dataPoints asInt "
    "timeUnixNano aggregationTemporality key value other".split()
)
contents = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(contents)
def test_any_json_is_read_or_refused(content: object):
    body = json.dumps(content).encode()
    with contextlib.suppress(UnreadableBody):
        JsonForm().decode(body, KnownSeries(100, idle_seconds=60), DEFAULTS, lambda _: None)
