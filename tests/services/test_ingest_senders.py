"""Senders that are not ours, over real sockets: what they measured is what is published."""

import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from rootward.adapters.clock import SystemClock
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, fake_platform
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
from tests.services.otlp_messages import stored

DELTA = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
}


class Announcing(uvicorn.Server):
    """A server that says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Noting(OTLPMetricExporter):
    """The exporter of the SDK; it notes how each export went."""

    def export(self, metrics_data: MetricsData, *more: object, **named: object) -> object:
        outcome = super().export(metrics_data, *more, **named)
        self.outcomes = [*getattr(self, "outcomes", []), outcome]
        return outcome


@pytest.fixture
def platform() -> Platform:
    return fake_platform(SystemClock())


@pytest.fixture
def address(platform: Platform) -> Iterator[str]:
    """Where ingest listens."""
    config = uvicorn.Config(create_app(platform, Limits()), port=0, log_config=None)
    server = Announcing(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    assert server.up.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1/metrics"
    server.should_exit = True
    thread.join(20)


def measure(exporter: OTLPMetricExporter) -> None:
    """Measure a few things with the SDK and export them once."""
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    resource = Resource.create({"service.name": "cart", "service.instance.id": "cart-1"})
    exponential = View(
        instrument_name="rpc.duration", aggregation=ExponentialBucketHistogramAggregation()
    )
    provider = MeterProvider([reader], resource=resource, views=[exponential])
    meter = provider.get_meter("shop")
    meter.create_counter("http.requests", unit="{request}").add(3, {"http.route": "/cart"})
    meter.create_up_down_counter("queue.size").add(2)
    meter.create_gauge("load").set(0.5)
    histograms = [meter.create_histogram(f"{name}.duration", unit="s") for name in ("http", "rpc")]
    for histogram in histograms:
        for seconds in (0.3, 0.7, 3.0):
            histogram.record(seconds)
    provider.shutdown()


@pytest.fixture
def published(platform: Platform) -> Callable[[], dict[str, float]]:
    assert isinstance(platform.bus, FakeBus)
    return lambda: stored(platform.bus)


def test_what_the_opentelemetry_sdk_measures_is_published(
    address: str, published: Callable[[], dict[str, float]]
):
    exporter = Noting(endpoint=address, compression=Compression.Gzip)
    measure(exporter)
    assert exporter.outcomes == [MetricExportResult.SUCCESS]
    cart = 'instance="cart-1"{},service="cart"'.format
    found = published()
    assert found[f'http_requests_total{{http_route="/cart",{cart("")}}}'] == 3.0
    assert found[f"queue_size{{{cart('')}}}"] == 2.0
    assert found[f"load{{{cart('')}}}"] == 0.5
    for name in ("http", "rpc"):
        assert found[f"{name}_duration_seconds_count{{{cart('')}}}"] == 3.0
        assert found[f"{name}_duration_seconds_sum{{{cart('')}}}"] == pytest.approx(4.0)
    bucket = "{}_duration_seconds_bucket{{{}}}".format
    assert found[bucket("http", cart(',le="5.0"'))] == 3.0
    assert [found[bucket("rpc", cart(f',le="{le}"'))] for le in (0.5, 1.0, 2.0, 4.0)] == [
        1,
        2,
        2,
        3,
    ]


def test_what_it_measures_as_deltas_is_published_as_rates_and_means(
    address: str, published: Callable[[], dict[str, float]]
):
    exporter = Noting(endpoint=address, preferred_temporality=DELTA)
    measure(exporter)
    assert exporter.outcomes == [MetricExportResult.SUCCESS]
    found = published()
    assert found['http_requests_rate{http_route="/cart",instance="cart-1",service="cart"}'] > 0.0
    for name in ("http", "rpc"):
        mean = found[f'{name}_duration_seconds_mean{{instance="cart-1",service="cart"}}']
        assert mean == pytest.approx(4.0 / 3)
        assert found[f'{name}_rate{{instance="cart-1",service="cart"}}'] > 0.0
