"""OTLP data points: which series they become, and with which labels."""

import math

import pytest
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client import REGISTRY

from rootward.testing.fakes import FakeBus
from tests.services.otlp_messages import (
    CART,
    CUMULATIVE,
    DELTA,
    TIME,
    exponential,
    exported,
    gauge,
    histogram,
    send,
    stored,
    summed,
)


@pytest.mark.parametrize(
    ("temporality", "monotonic", "expected"),
    [
        (CUMULATIVE, True, {"http_server_requests_total": 40.0}),
        (CUMULATIVE, False, {"http_server_requests": 40.0}),
        (DELTA, True, {"http_server_requests_rate": 4.0}),
        (DELTA, False, {"http_server_requests_rate": 4.0}),
    ],
)
def test_a_sum_is_a_counter_a_gauge_or_a_rate(
    temporality: int, monotonic: bool, expected: dict[str, float], client: TestClient, bus: FakeBus
):
    send(client, exported(summed(temporality, monotonic=monotonic)))
    assert stored(bus) == {name + CART: value for name, value in expected.items()}


def test_a_cumulative_histogram_is_what_prometheus_makes_of_one(client: TestClient, bus: FakeBus):
    send(client, exported(histogram(CUMULATIVE)))
    name = "http_server_request_duration_seconds"
    le = '{{instance="cart-1",le="{}",service="cart"}}'.format
    assert stored(bus) == {
        f"{name}_count{CART}": 6.0,
        f"{name}_sum{CART}": 1.5,
        f"{name}_bucket{le('0.1')}": 3.0,
        f"{name}_bucket{le('1.0')}": 5.0,
        f"{name}_bucket{le('+Inf')}": 6.0,
    }


def test_a_delta_histogram_is_a_mean_and_a_rate(client: TestClient, bus: FakeBus):
    send(client, exported(histogram(DELTA)))
    assert stored(bus) == {
        f"http_server_request_rate{CART}": 0.6,
        f"http_server_request_duration_seconds_mean{CART}": 0.25,
    }


def test_a_histogram_without_values_in_the_interval_has_no_mean(client: TestClient, bus: FakeBus):
    send(client, exported(histogram(DELTA, count=0, sum=0.0, bucket_counts=[0, 0, 0])))
    found = stored(bus)
    assert found[f"http_server_request_rate{CART}"] == 0.0
    assert math.isnan(found[f"http_server_request_duration_seconds_mean{CART}"])


def test_a_histogram_without_sum_and_buckets_is_its_count(client: TestClient, bus: FakeBus):
    bare = histogram(CUMULATIVE, explicit_bounds=[], bucket_counts=[])
    bare.histogram.data_points[0].ClearField("sum")
    send(client, exported(bare))
    assert stored(bus) == {f"http_server_request_duration_seconds_count{CART}": 6.0}


@pytest.mark.parametrize(
    ("scale", "offset", "counts", "expected"),
    [
        # base 2: (1, 2], (2, 4], (4, 8]
        (0, 0, [1, 0, 5], {"2.0": 3, "4.0": 3, "8.0": 8}),
        # base √2: (1, 1.41], (1.41, 2], (2, 2.83]
        (1, 0, [1, 2, 4], {"2.0": 5, "4.0": 9}),
        # base √2: (0.71, 1]
        (1, -1, [7], {"1.0": 9}),
        # base 16: (1/16, 1], (1, 16]
        (-2, -1, [3, 4], {"1.0": 5, "16.0": 9}),
        (-10, -1, [3, 4], {"1.0": 5}),
        (20, -(2**31), [3], {"0.0": 5}),
        (0, 2**31 - 1, [3], {}),
    ],
)
def test_an_exponential_histogram_has_the_powers_of_two_as_bounds(
    scale: int,
    offset: int,
    counts: list[int],
    expected: dict[str, int],
    client: TestClient,
    bus: FakeBus,
):
    send(client, exported(exponential(scale, offset, counts)))
    found = stored(bus)
    assert found.pop(f"rpc_duration_milliseconds_count{CART}") == sum(counts) + 2
    assert found.pop(f"rpc_duration_milliseconds_sum{CART}") == 9.0
    bounds = {key.partition('le="')[2].partition('"')[0]: value for key, value in found.items()}
    if "0.0" in expected:  # a bucket below the least float
        assert list(bounds.values()) == [5, 5]
    else:
        assert bounds == expected | {"+Inf": sum(counts) + 2}


def test_a_delta_exponential_histogram_is_a_mean_and_a_rate(client: TestClient, bus: FakeBus):
    send(client, exported(exponential(0, 0, [1, 2], DELTA)))
    assert stored(bus) == {
        f"rpc_rate{CART}": 0.5,
        f"rpc_duration_milliseconds_mean{CART}": 1.8,
    }


def test_a_summary_keeps_its_quantiles(client: TestClient, bus: FakeBus):
    metric = Metric(name="gc.pause", unit="s")
    point = metric.summary.data_points.add(time_unix_nano=TIME, count=4, sum=0.8)
    point.quantile_values.add(quantile=0.5, value=0.1)
    send(client, exported(metric))
    assert stored(bus) == {
        f"gc_pause_seconds_count{CART}": 4.0,
        f"gc_pause_seconds_sum{CART}": 0.8,
        'gc_pause_seconds{instance="cart-1",quantile="0.5",service="cart"}': 0.1,
    }


@pytest.mark.parametrize(
    "metric",
    [
        gauge(flags=1),
        summed(CUMULATIVE, monotonic=True, flags=1),
        histogram(CUMULATIVE, flags=1, bucket_counts=[]),
    ],
)
def test_no_recorded_value_ends_the_series(metric: Metric, client: TestClient, bus: FakeBus):
    before = REGISTRY.get_sample_value("rootward_ingest_stale_markers_total")
    assert send(client, exported(metric)) == ExportMetricsServiceResponse()
    assert stored(bus)
    assert all(math.isnan(value) for value in stored(bus).values())
    assert REGISTRY.get_sample_value("rootward_ingest_stale_markers_total") == before + 1


def test_no_recorded_value_needs_no_value(client: TestClient, bus: FakeBus):
    metric = Metric(name="queue.size")
    metric.gauge.data_points.add(time_unix_nano=TIME, flags=1)
    send(client, exported(metric))
    assert math.isnan(stored(bus)[f"queue_size{CART}"])


@pytest.mark.parametrize(
    ("name", "unit", "kind", "expected"),
    [
        ("process.cpu.utilization", "1", "gauge", "process_cpu_utilization_ratio"),
        ("system.memory.usage", "By", "gauge", "system_memory_usage_bytes"),
        ("disk.io", "By/s", "gauge", "disk_io_bytes_per_second"),
        ("load", "%", "gauge", "load_percent"),
        ("latency_seconds", "s", "gauge", "latency_seconds"),
        ("2xx.replies", "{reply}", "gauge", "_2xx_replies"),
        ("system.cpu.time", "s", "sum", "system_cpu_time_seconds_total"),
        ("requests_total", "1", "sum", "requests_total"),
    ],
)
def test_names_and_units_are_written_as_prometheus_writes_them(
    name: str, unit: str, kind: str, expected: str, client: TestClient, bus: FakeBus
):
    metric = gauge(name) if kind == "gauge" else summed(CUMULATIVE, monotonic=True)
    metric.name, metric.unit = name, unit
    send(client, exported(metric))
    assert list(stored(bus)) == [expected + CART]


def test_attributes_become_labels_and_the_resource_goes_before_them(
    client: TestClient, bus: FakeBus
):
    metric = gauge()
    attributes = metric.gauge.data_points[0].attributes
    attributes.add(key="http.route").value.string_value = "/cart"
    attributes.add(key="http_route").value.string_value = "second of its name"
    attributes.add(key="service").value.string_value = "other"
    attributes.add(key="k8s.pod.name").value.string_value = "other"
    attributes.add(key="ok").value.bool_value = True
    attributes.add(key="code").value.int_value = 200
    attributes.add(key="1st").value.double_value = 0.5
    attributes.add(key="raw").value.bytes_value = b"\x00\xff"
    attributes.add(key="list").value.array_value.values.add().string_value = "a"
    attributes.add(key="empty").value.string_value = ""
    resource = {
        "service.name": "cart",
        "k8s.pod.name": "cart-7f",
        "deployment.environment.name": "prod",
        "process.pid": "17",
    }
    send(client, exported(metric, **resource))
    (batch,) = bus.published
    assert dict(batch.series[0].labels) == {
        "service": "cart",
        "instance": "cart-7f",
        "k8s_pod_name": "cart-7f",
        "deployment_environment_name": "prod",
        "http_route": "/cart",
        "exported_service": "other",
        "ok": "true",
        "code": "200",
        "key_1st": "0.5",
        "raw": "AP8=",
        "list": '["a"]',
    }


def test_without_a_service_name_the_deployment_names_the_service(client: TestClient, bus: FakeBus):
    send(client, exported(gauge(), **{"k8s.deployment.name": "user"}))
    assert bus.published[0].series[0].service == "user"
