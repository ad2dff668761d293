"""Requests of OpenTelemetry, made of the real messages, and what became of them."""

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from starlette.testclient import TestClient

from rootward.testing.fakes import FakeBus
from rootward_ingest.otlp import StatusMessage

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
NOW = 1_700_000_000.0
NANO = 10**9
TIME = int(NOW) * NANO
START = TIME - 10 * NANO
DELTA, CUMULATIVE = 1, 2
OWNER = {"service.name": "cart", "service.instance.id": "cart-1"}
CART = '{instance="cart-1",service="cart"}'


def exported(*metrics: Metric, **resource: str) -> ExportMetricsServiceRequest:
    """A request with these metrics of one resource, cart by default."""
    request = ExportMetricsServiceRequest()
    owner = request.resource_metrics.add()
    for key, value in (resource or OWNER).items():
        owner.resource.attributes.add(key=key).value.string_value = value
    owner.scope_metrics.add().metrics.extend(metrics)
    return request


def gauge(name: str = "queue.size", value: float = 3.5, **point: object) -> Metric:
    metric = Metric(name=name)
    metric.gauge.data_points.add(**({"time_unix_nano": TIME, "as_double": value} | point))
    return metric


def summed(temporality: int, *, monotonic: bool, **point: object) -> Metric:
    metric = Metric(name="http.server.requests", unit="{request}")
    metric.sum.aggregation_temporality = temporality
    metric.sum.is_monotonic = monotonic
    metric.sum.data_points.add(
        **({"time_unix_nano": TIME, "start_time_unix_nano": START, "as_int": 40} | point)
    )
    return metric


def histogram(temporality: int, **point: object) -> Metric:
    metric = Metric(name="http.server.request.duration", unit="s")
    metric.histogram.aggregation_temporality = temporality
    usual = {
        "time_unix_nano": TIME,
        "start_time_unix_nano": START,
        "count": 6,
        "sum": 1.5,
        "explicit_bounds": [0.1, 1.0],
        "bucket_counts": [3, 2, 1],
    }
    metric.histogram.data_points.add(**(usual | point))
    return metric


def exponential(scale: int, offset: int, counts: list[int], temporality: int = 2) -> Metric:
    metric = Metric(name="rpc.duration", unit="ms")
    metric.exponential_histogram.aggregation_temporality = temporality
    point = metric.exponential_histogram.data_points.add(
        time_unix_nano=TIME,
        start_time_unix_nano=START,
        count=sum(counts) + 2,
        sum=9.0,
        scale=scale,
        zero_count=2,
    )
    point.positive.offset = offset
    point.positive.bucket_counts.extend(counts)
    return metric


def stored(bus: FakeBus) -> dict[str, float]:
    """What was published, by series."""
    return {
        batch.series[k].key: value
        for batch in bus.published
        for k, value in zip(batch.index.tolist(), batch.values.tolist(), strict=True)
    }


def send(client: TestClient, request: ExportMetricsServiceRequest) -> ExportMetricsServiceResponse:
    answer = client.post("/v1/metrics", content=request.SerializeToString(), headers=PROTOBUF)
    assert answer.status_code == 200, StatusMessage.FromString(answer.content)
    assert answer.headers["content-type"] == "application/x-protobuf"
    return ExportMetricsServiceResponse.FromString(answer.content)


def status(answer: object) -> tuple[int, int, str]:
    """The HTTP status, and code and message of the google.rpc.Status."""
    if answer.headers["content-type"] == "application/json":
        told = answer.json()
        return answer.status_code, told["code"], told["message"]
    assert answer.headers["content-type"] == "application/x-protobuf"
    told = StatusMessage.FromString(answer.content)
    return answer.status_code, told.code, told.message
