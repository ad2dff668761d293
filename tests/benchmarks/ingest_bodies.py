"""Request bodies as senders make them, scrape by scrape.

A sender scrapes targets in turn and sends off whatever has come together, so a request begins
and ends anywhere in the list of series, and no two requests hold the same series.
"""

import gzip
import itertools
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cramjam
import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import ResourceMetrics

SAMPLES = 2000
"""In a request, as Prometheus sends them."""
STEP_MS = 15_000
PER_TARGET = 100
CUMULATIVE = 2
Labels = tuple[tuple[str, str], ...]


@dataclass
class Fleet:
    """The series behind one sender, and their values from scrape to scrape."""

    name: str
    series: int
    start_ms: int
    labels: list[Labels] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = [_labels(self.name, k) for k in range(self.series)]

    def scrapes(self) -> Iterator[tuple[int, int, float]]:
        """Endless (place of the series, Unix milliseconds, value).

        A third are counters in use, a third gauges; of the last third nearly all stay zero.
        """
        rng = np.random.default_rng(self.series)
        counts = np.zeros(self.series)
        kind = np.arange(self.series) % 3
        for scrape in itertools.count():
            counts += rng.poisson(7, self.series)
            rare = rng.random(self.series) < 0.01
            values = np.select([kind == 0, kind == 1], [counts, rng.normal(50, 9, self.series)])
            values[(kind == 2) & rare] = 1.0
            offsets = np.arange(self.series) // PER_TARGET * 137 % STEP_MS
            times = self.start_ms + scrape * STEP_MS + offsets
            yield from zip(range(self.series), times.tolist(), values.tolist(), strict=True)


def _labels(fleet: str, k: int) -> Labels:
    """13 labels as Prometheus in Kubernetes has them, in order of name."""
    target, metric = divmod(k, PER_TARGET)
    service = f"shop-service-{target % 40:02}"
    pod = f"{service}-7d9f6c{target:04x}-x2v9{target % 7}"
    return (
        ("__name__", f"http_server_requests_metric_{metric:02}_total"),
        ("cluster", f"production-{fleet}"),
        ("container", service),
        ("endpoint", "http-metrics"),
        ("environment", "production"),
        ("instance", f"10.42.{target % 250}.{target // 250 + 17}:8080"),
        ("job", f"shop/{service}"),
        ("method", ("GET", "POST", "PUT", "DELETE")[metric % 4]),
        ("namespace", "shop"),
        ("node", f"ip-10-0-{target % 16}-12.eu-central-1.compute.internal"),
        ("pod", pod),
        ("service", service),
        ("status", str(200 + metric % 5)),
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _chunk(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(content)) + content


def _sample(value: float, time_ms: int) -> bytes:
    """A sample as Go writes it: a zero is left out."""
    number = b"" if value == 0.0 else b"\x09" + struct.pack("<d", value)
    return _chunk(0x12, number + b"\x10" + _varint(time_ms))


def remote_write_v1(fleet: Fleet) -> Iterator[bytes]:
    """Endless requests of version 1.0 in snappy."""
    heads = [
        b"".join(
            _chunk(0x0A, _chunk(0x0A, name.encode()) + _chunk(0x12, value.encode()))
            for name, value in labels
        )
        for labels in fleet.labels
    ]
    scrapes = fleet.scrapes()
    while True:
        some = itertools.islice(scrapes, SAMPLES)
        content = b"".join(_chunk(0x0A, heads[k] + _sample(v, t)) for k, t, v in some)
        yield bytes(cramjam.snappy.compress_raw(content))


def remote_write_v2(fleet: Fleet) -> Iterator[bytes]:
    """Endless requests of version 2.0 in snappy; each has a table of symbols of its own."""
    scrapes = fleet.scrapes()
    while True:
        places: dict[str, int] = {"": 0}
        series = []
        for k, time_ms, value in itertools.islice(scrapes, SAMPLES):
            text = [part for pair in fleet.labels[k] for part in pair]
            refs = b"".join(_varint(places.setdefault(part, len(places))) for part in text)
            about = places.setdefault(f"About {fleet.labels[k][0][1]}.", len(places))
            metadata = _chunk(0x2A, b"\x08\x01\x18" + _varint(about))
            series.append(_chunk(0x2A, _chunk(0x0A, refs) + _sample(value, time_ms) + metadata))
        symbols = b"".join(_chunk(0x22, text.encode()) for text in places)
        yield bytes(cramjam.snappy.compress_raw(symbols + b"".join(series)))


def otlp(fleet: Fleet) -> Iterator[bytes]:
    """Endless export requests in gzip: whole resources, gauges and counters, 4 points a metric."""
    return _exports(fleet, _numbers)


def otlp_histograms(fleet: Fleet) -> Iterator[bytes]:
    """As `otlp`, with explicit histograms of 14 bounds alone."""
    return _exports(fleet, _histograms)


Fill = Callable[[ResourceMetrics, Fleet, list[tuple[int, int, float]]], None]


def _exports(fleet: Fleet, fill: Fill) -> Iterator[bytes]:
    scrapes = fleet.scrapes()
    while True:
        request = ExportMetricsServiceRequest()
        for _ in range(SAMPLES // PER_TARGET):
            points = list(itertools.islice(scrapes, PER_TARGET))
            owner = request.resource_metrics.add()
            for name, value in _resource(fleet.labels[points[0][0]]):
                owner.resource.attributes.add(key=name).value.string_value = value
            fill(owner, fleet, points)
        yield gzip.compress(request.SerializeToString(), compresslevel=6)


def _resource(labels: Labels) -> Labels:
    of = dict(labels)
    return (
        ("service.name", of["service"]),
        ("service.namespace", of["namespace"]),
        ("service.instance.id", of["pod"]),
        ("deployment.environment.name", of["environment"]),
        ("k8s.cluster.name", of["cluster"]),
        ("k8s.node.name", of["node"]),
        ("k8s.pod.name", of["pod"]),
        ("telemetry.sdk.language", "java"),
    )


def _attributes(point: object, labels: Labels) -> None:
    of = dict(labels)
    for name, value in (
        ("http.request.method", of["method"]),
        ("http.route", f"/api/v1/{of['__name__'][-8:-6]}/{{id}}"),
        ("http.response.status_code", of["status"]),
        ("server.address", of["instance"]),
        ("url.scheme", "https"),
    ):
        point.attributes.add(key=name).value.string_value = value


def _numbers(owner: ResourceMetrics, fleet: Fleet, points: list[tuple[int, int, float]]) -> None:
    metrics = owner.scope_metrics.add().metrics
    for first in range(0, len(points), 4):
        metric = metrics.add(name=f"http.server.requests.{first:02}", unit="{request}")
        if first % 8:
            where = metric.gauge.data_points
        else:
            metric.sum.is_monotonic = True
            metric.sum.aggregation_temporality = CUMULATIVE
            where = metric.sum.data_points
        for k, time_ms, value in points[first : first + 4]:
            point = where.add(time_unix_nano=time_ms * 10**6, as_double=value)
            point.start_time_unix_nano = fleet.start_ms * 10**6
            _attributes(point, fleet.labels[k])


def _histograms(owner: ResourceMetrics, fleet: Fleet, points: list[tuple[int, int, float]]) -> None:
    bounds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0]
    metrics = owner.scope_metrics.add().metrics
    for first in range(0, len(points), 4):
        metric = metrics.add(name=f"http.server.request.duration.{first:02}", unit="s")
        metric.histogram.aggregation_temporality = CUMULATIVE
        for k, time_ms, value in points[first : first + 4]:
            seconds = (time_ms - fleet.start_ms) // 1000
            counts = [(seconds + k % 50 + 1) * (15 - place) for place in range(15)]
            point = metric.histogram.data_points.add(
                time_unix_nano=time_ms * 10**6, count=sum(counts), sum=value
            )
            point.start_time_unix_nano = fleet.start_ms * 10**6
            point.bucket_counts.extend(counts)
            point.explicit_bounds.extend(bounds)
            _attributes(point, fleet.labels[k])
