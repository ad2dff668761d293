"""How fast bodies are decoded, and how much the wire walk gains.

Run with `python tests/benchmarks/bench_decode.py`: 2,000 series with 13 labels and one sample
each, a third of them zero; times are CPU time of this thread, the best of several rounds.
"""

import gzip
import sys
import time
from collections.abc import Callable

import cramjam
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from rootward_ingest import decode_v2, otlp_points
from rootward_ingest.decode import decode, decode_generic, decompressed
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.messages import WriteRequestMessage
from rootward_ingest.messages_v2 import RequestMessage
from rootward_ingest.symbols import SymbolIds

SERIES, LABELS, ROUNDS = 2000, 13, 40
CUMULATIVE = 2


def labels(k: int) -> dict[str, str]:
    """The labels of a series as Prometheus in Kubernetes has them."""
    named = {"__name__": f"container_metric_{k % 100}_total", "service": f"service-{k % 40}"}
    return named | {f"label_{j:02}": f"value-{j}-{k // 100:04}-7d9f6c" for j in range(LABELS - 2)}


def body() -> bytes:
    """One request of version 1.0, snappy-compressed."""
    request = WriteRequestMessage()
    for k in range(SERIES):
        series = request.timeseries.add()
        for name, value in labels(k).items():
            series.labels.add(name=name, value=value)
        series.samples.add(value=k % 3 * 1.25, timestamp=1_700_000_000_000 + k)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def body_v2() -> bytes:
    """The same series as one request of version 2.0."""
    places: dict[str, int] = {"": 0}
    request = RequestMessage()
    for k in range(SERIES):
        series = request.timeseries.add()
        text = [part for pair in labels(k).items() for part in pair]
        series.labels_refs.extend(places.setdefault(part, len(places)) for part in text)
        series.samples.add(value=k % 3 * 1.25, timestamp=1_700_000_000_000 + k)
        series.metadata.help_ref = places.setdefault(f"About {k % 100}.", len(places))
    request.symbols.extend(places)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def body_otlp() -> bytes:
    """The same series as counters of 40 resources, in gzip."""
    request = ExportMetricsServiceRequest()
    for owner in range(40):
        resource = request.resource_metrics.add()
        resource.resource.attributes.add(key="service.name").value.string_value = f"s-{owner}"
        metrics = resource.scope_metrics.add().metrics
        for k in range(owner, SERIES, 40):
            metric = metrics.add(name=labels(k)["__name__"])
            metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, CUMULATIVE
            point = metric.sum.data_points.add(time_unix_nano=1_700_000_000 * 10**9, as_double=k)
            for name, value in list(labels(k).items())[2:]:
                point.attributes.add(key=name).value.string_value = value
    return gzip.compress(request.SerializeToString())


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best


def readers() -> dict[str, Callable[[], object]]:
    """Each way to decode, decompression included, on series that it knows."""
    known, numbers = KnownSeries(4 * SERIES, idle_seconds=3600), SymbolIds(20 * SERIES)
    first, second, otlp = body(), body_v2(), body_otlp()
    message = ExportMetricsServiceRequest
    return {
        "remote write 1.0": lambda: decode(decompressed(first, 2**30), known),
        "remote write 1.0, generic reader": lambda: decode_generic(
            decompressed(first, 2**30), known
        ),
        "remote write 2.0": lambda: decode_v2.decode(decompressed(second, 2**30), known, numbers),
        "remote write 2.0, generic reader": lambda: decode_v2.decode_generic(
            decompressed(second, 2**30), known
        ),
        "OTLP": lambda: otlp_points.decode(message.FromString(gzip.decompress(otlp)), known),
    }


def rates() -> dict[str, float]:
    """Samples per CPU second."""
    found = {}
    for name, read in readers().items():
        read()
        found[name] = SERIES / seconds(read)
    return found


if __name__ == "__main__":
    for name, rate in rates().items():
        sys.stdout.write(f"{name:34} {rate:>11,.0f} samples per CPU second\n")
