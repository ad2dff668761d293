"""How fast remote write bodies are decoded, and how much the wire walk gains.

Run with `python tests/benchmarks/bench_decode.py`: 2,000 series with 13 labels and one sample
each, a third of them zero; times are CPU time of this thread, the best of several rounds.
"""

import sys
import time
from collections.abc import Callable

import cramjam

from rootward_ingest.decode import decode, decode_generic, decompressed
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.messages import WriteRequestMessage

SERIES, LABELS, ROUNDS = 2000, 13, 40


def body() -> bytes:
    """One request, snappy-compressed, as a Prometheus in Kubernetes sends it."""
    request = WriteRequestMessage()
    for k in range(SERIES):
        series = request.timeseries.add()
        series.labels.add(name="__name__", value=f"container_metric_{k % 100}_total")
        series.labels.add(name="service", value=f"service-{k % 40}")
        for j in range(LABELS - 2):
            series.labels.add(name=f"label_{j:02}", value=f"value-{j}-{k // 100:04}-7d9f6c")
        series.samples.add(value=k % 3 * 1.25, timestamp=1_700_000_000_000 + k)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best


def compare() -> dict[str, float]:
    """Samples per CPU second with decompression, fast and generic, and their ratio."""
    sent = body()
    rates = {}
    for name, reader in (("fast", decode), ("generic", decode_generic)):
        known = KnownSeries(SERIES, idle_seconds=3600)
        reader(decompressed(sent, 2**30), known)
        rates[name] = SERIES / seconds(
            lambda r=reader, k=known: r(decompressed(sent, 2**30), k)  # type: ignore[misc]
        )
    return rates | {"ratio": rates["fast"] / rates["generic"]}


if __name__ == "__main__":
    found = compare()
    sys.stdout.write(
        f"wire walk {found['fast']:,.0f} samples per CPU second, generic reader "
        f"{found['generic']:,.0f}, ratio {found['ratio']:.1f}\n"
    )
