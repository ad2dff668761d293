"""The OpenTelemetry SDK exports to Rootward: every point it makes is stored as it was."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Metric,
    MetricExportResult,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from rootward.model.series import Series
from tests.real.node import Node, Samples, differences, stored

EXPORTS = 4
NEVER_MS = 3_600_000
OWNER = {"service.name": "cart", "service.instance.id": "cart-1"}
DELTA = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}


class Noting(OTLPMetricExporter):
    """The exporter of the SDK; it notes what it exported and how that went."""

    exported: tuple[MetricsData, ...] = ()
    outcomes: tuple[object, ...] = ()

    def export(self, metrics_data: MetricsData, *more: object, **named: object) -> object:
        outcome = super().export(metrics_data, *more, **named)
        self.exported += (metrics_data,)
        self.outcomes += (outcome,)
        return outcome

    def metrics(self) -> Iterator[Metric]:
        """Every metric of every export."""
        for data in self.exported:
            for resource in data.resource_metrics:
                for scope in resource.scope_metrics:
                    yield from scope.metrics


def measure(exporter: OTLPMetricExporter, measured: np.ndarray) -> None:
    """Record a column of values for each export with every kind of instrument."""
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=NEVER_MS)
    exponential = View(
        instrument_name="rpc.duration", aggregation=ExponentialBucketHistogramAggregation()
    )
    provider = MeterProvider([reader], resource=Resource.create(OWNER), views=[exponential])
    meter = provider.get_meter("shop")
    requests = meter.create_counter("http.requests", unit="{request}")
    queue = meter.create_up_down_counter("queue.size")
    load = meter.create_gauge("load")
    histograms = [meter.create_histogram(f"{name}.duration", unit="s") for name in ("http", "rpc")]
    for column in measured.T.tolist():
        for k, value in enumerate(column):
            requests.add(k, {"http.route": f"/{k % 3}", "ok": k % 2 == 0})
            queue.add((-1) ** k * k)
            load.set(value, {"cpu": k % 2})
            for histogram in histograms:
                histogram.record(value)
        provider.force_flush()
    provider.shutdown()


def expected(metrics: Iterator[Metric]) -> Samples:
    """The samples that the points of the SDK stand for; of histograms sum and count."""
    found: Samples = {}
    for metric in metrics:
        name = metric.name.replace(".", "_")
        delta = getattr(metric.data, "aggregation_temporality", None) == DELTA[Counter]
        for point in metric.data.data_points:
            seconds = (point.time_unix_nano - (point.start_time_unix_nano or 0)) / 1e9
            if hasattr(point, "sum"):
                rate, mean = f"{name.removesuffix('_duration')}_rate", f"{name}_seconds_mean"
                values = (
                    {rate: point.count / seconds, mean: point.sum / point.count}
                    if delta
                    else {f"{name}_seconds_sum": point.sum, f"{name}_seconds_count": point.count}
                )
            elif name == "http_requests":
                values = {f"{name}_rate": point.value / seconds} if delta else {}
                values = values or {f"{name}_total": point.value}
            else:
                values = {name: point.value}
            labels = {k.replace(".", "_"): _text(v) for k, v in point.attributes.items()}
            for metric_name, value in values.items():
                series = Series.of(metric_name, "cart", instance="cart-1", **labels)
                found[series, round(point.time_unix_nano / 1e9 * 1e6)] = float(value)
    return found


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("otlp"), step_seconds=1) as one:
        yield one


@pytest.fixture
def measured() -> np.ndarray:
    """Seconds that requests took, a column for each export."""
    return np.random.default_rng(11).lognormal(-1, 2, (40, EXPORTS))


@pytest.mark.parametrize("temporality", [None, DELTA], ids=["cumulative", "delta"])
@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_every_point_is_stored_as_it_was_measured(
    node: Node, measured: np.ndarray, temporality: dict | None, compression: Compression
):
    exporter = Noting(
        f"{node.url}/v1/metrics", compression=compression, preferred_temporality=temporality
    )
    measure(exporter, measured)
    assert set(exporter.outcomes) == {MetricExportResult.SUCCESS}
    node.until_idle()

    points = expected(exporter.metrics())
    found = stored(node.database_url, {time for _, time in points})
    kept = {key: v for key, v in found.items() if not key[0].metric.endswith("_bucket")}
    assert len(points) >= EXPORTS * 13
    assert differences(points, kept) == []


def test_buckets_count_the_values_up_to_their_bounds(node: Node, measured: np.ndarray):
    exporter = Noting(f"{node.url}/v1/metrics")
    measure(exporter, measured)
    node.until_idle()

    found = stored(node.database_url, {time for _, time in expected(exporter.metrics())})
    checked = {"http_duration_seconds_bucket": 0, "rpc_duration_seconds_bucket": 0}
    for export, time in enumerate(sorted({time for _, time in found})):
        so_far = measured[:, : export + 1]
        for (series, at), count in found.items():
            if at == time and series.metric in checked:
                bound = float(series.label("le").replace("+Inf", "inf"))
                assert count == np.count_nonzero(so_far <= bound), (series, export)
                checked[series.metric] += 1
    assert min(checked.values()) > 3 * EXPORTS
    assert not any(math.isnan(value) for value in found.values())
