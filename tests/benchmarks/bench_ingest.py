"""How many samples a CPU second takes in over HTTP, and what they cost in the store.

`make bench-ingest` runs it. Each figure is the median of several turns; in a turn every server
is started afresh and gets the same bodies. CPU seconds are user and system time of the whole
server process, its threads and the kernel's work for it included; the sender's are not. `accepted`
counts all that makes a 2xx durable: HTTP, decoding, limits and labels, and the commit to disk;
`stored` also what hands the batches to the sample store and merges them there.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rootward.errors import InvalidConfiguration, RootwardError
from tests.benchmarks import ingest_bodies as bodies
from tests.benchmarks import ingest_store
from tests.benchmarks.ingest_servers import Server, prometheus, rootward, wait_until

SENDERS = 4
SERIES_EACH = 5000
FIRST = 3
"""Requests of each sender until every series was seen."""
BACK_MS = 2_700_000
"""How far back the first sample lies; the limit is an hour."""
DRAIN_SECONDS = 300.0
SNAPPY = {"Content-Encoding": "snappy"}
V1 = SNAPPY | {"Content-Type": "application/x-protobuf"}
V2 = SNAPPY | {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
OTLP = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
WRITE, METRICS = "/api/v1/write", "/v1/metrics"


@dataclass(frozen=True)
class Traffic:
    """What the senders send: for each of them its requests, in order."""

    path: str
    headers: dict[str, str]
    requests: Sequence[Sequence[bytes]]


@dataclass(frozen=True)
class Subject:
    """A server and the traffic it gets."""

    name: str
    what: str
    start: Callable[[], AbstractContextManager[Server]]
    traffic: Traffic
    drains: bool = False


@dataclass(frozen=True)
class Rates:
    """Samples per CPU second: while all series are new, and afterwards."""

    cold: float
    warm: float


def traffic(
    path: str,
    headers: dict[str, str],
    make: Callable[[bodies.Fleet], Iterator[bytes]],
    requests: int,
    series_each: int = SERIES_EACH,
) -> Traffic:
    """The same for every server: bodies are made once."""
    start_ms = int(time.time() * 1000) - BACK_MS
    fleets = [bodies.Fleet(f"eu-{k}", series_each, start_ms) for k in range(SENDERS)]
    return Traffic(path, headers, [list(islice(make(fleet), FIRST + requests)) for fleet in fleets])


def measured(subject: Subject) -> Rates:
    """Start the server, send everything, stop it."""
    sent = subject.traffic
    with subject.start() as server, ThreadPoolExecutor(SENDERS) as pool:

        def rate(first: int, last: int | None) -> float:
            before = server.cpu_seconds()
            parts = [requests[first:last] for requests in sent.requests]
            list(pool.map(lambda part: _send(server, sent, part), parts))
            if subject.drains:
                wait_until(lambda: not server.backlog(), DRAIN_SECONDS)
            spent = server.cpu_seconds() - before
            return sum(map(len, parts)) * bodies.SAMPLES / spent

        return Rates(rate(0, FIRST), rate(FIRST, None))


def _send(server: Server, sent: Traffic, requests: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    for body in requests:
        connection.request("POST", sent.path, body, sent.headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 204) or (sent.path == METRICS and text):
            raise RootwardError(f"answer {answer.status}: {text[:500]!r}")
    connection.close()


def subjects(requests: int, binary: str) -> list[Subject]:
    """What is measured, in the order of a turn."""
    v1 = traffic(WRITE, V1, bodies.remote_write_v1, requests)
    v2 = traffic(WRITE, V2, bodies.remote_write_v2, requests)
    otlp = traffic(METRICS, OTLP, bodies.otlp, requests)
    histograms = traffic(METRICS, OTLP, bodies.otlp_histograms, requests // 7, 500)
    accepted, stored = "2xx: durable on the bus", "and from there in the sample store"

    def at(stage: str) -> Callable[[], AbstractContextManager[Server]]:
        return lambda: rootward(stage)

    return [
        Subject("prometheus", "in its WAL and head", lambda: prometheus(binary), v1),
        Subject("remote_write_v1", accepted, at("accepted"), v1),
        Subject("remote_write_v1_stored", stored, at("stored"), v1, drains=True),
        Subject("remote_write_v2", accepted, at("accepted"), v2),
        Subject("remote_write_v2_stored", stored, at("stored"), v2, drains=True),
        Subject("otlp", accepted, at("accepted"), otlp),
        Subject("otlp_stored", stored, at("stored"), otlp, drains=True),
        Subject("otlp_histogram", accepted, at("accepted"), histograms),
    ]


def unit(subject: str) -> str:
    """What a subject takes in."""
    return "points" if subject.startswith("otlp") else "samples"


def figures(found: dict[str, list[Rates]]) -> dict[str, object]:
    """Medians, and ratios to Prometheus turn by turn."""
    out: dict[str, object] = {}
    for name, rates in found.items():
        out[f"{name}_{unit(name)}_per_cpu_second"] = statistics.median(one.warm for one in rates)
        out[f"{name}_new_series_{unit(name)}_per_cpu_second"] = statistics.median(
            one.cold for one in rates
        )
    for name in ("remote_write_v1", "remote_write_v1_stored"):
        if name in found and "prometheus" in found:
            pairs = zip(found[name], found["prometheus"], strict=True)
            out[f"{name}_to_prometheus"] = statistics.median(a.warm / b.warm for a, b in pairs)
    return out


def table(chosen: Sequence[Subject], found: dict[str, list[Rates]]) -> str:
    """One line a subject."""
    lines = [f"{'per CPU second':24} {'known series':>13} {'new series':>11} {'spread':>15}"]
    for subject in chosen:
        warm = [one.warm for one in found[subject.name]]
        cold = statistics.median(one.cold for one in found[subject.name])
        spread = f"{min(warm) / 1000:.0f}k-{max(warm) / 1000:.0f}k"
        lines.append(
            f"{subject.name:24} {statistics.median(warm):>13,.0f} {cold:>11,.0f} {spread:>15}"
            f"  {unit(subject.name)}, {subject.what}"
        )
    return "\n".join(lines)


def stored(recordings: Iterator[ingest_store.Recording], source: str) -> dict[str, object]:
    """What the store makes of recordings, and how long it takes to read a window."""
    size, samples = ingest_store.bytes_per_sample(recordings)
    seconds, cpu_seconds = ingest_store.window_read_seconds()
    return {
        "bytes_per_sample": size,
        "bytes_per_sample_of": f"{samples} samples of {source}",
        "window_read_seconds": seconds,
        "window_read_cpu_seconds": cpu_seconds,
    }


def summary(result: dict[str, object]) -> str:
    """The figures that are no rates."""
    ratios = [
        f"{name.removesuffix('_to_prometheus')}: {value:.1f} times Prometheus"
        for name, value in result.items()
        if name.endswith("_to_prometheus")
    ]
    return "\n".join(
        [
            *ratios,
            f"on disk: {result['bytes_per_sample']:.2f} bytes a sample"
            f" ({result['bytes_per_sample_of']})",
            f"a window of {ingest_store.SERIES} series by {ingest_store.ROWS} steps:"
            f" {result['window_read_seconds']:.2f} s,"
            f" {result['window_read_cpu_seconds']:.2f} s of CPU",
        ]
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short turns")
    parser.add_argument("--turns", type=int, help="5, or 2 with --quick")
    parser.add_argument("--only", default="", help="names of subjects that begin like this")
    parser.add_argument("--out", type=Path, default=Path("out/bench/ingest.json"))
    parser.add_argument("--recordings", type=Path, help="folder with metrics.csv files below it")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    chosen = arguments()
    binary = shutil.which("prometheus")
    if binary is None:
        raise InvalidConfiguration("no prometheus on the PATH: apt-get install prometheus")
    measure = [
        one
        for one in subjects(15 if chosen.quick else 60, binary)
        if one.name.startswith(chosen.only)
    ]
    found: dict[str, list[Rates]] = {one.name: [] for one in measure}
    with ingest_store.machine_recorded() as recorded:
        for _ in range(chosen.turns or (2 if chosen.quick else 5)):
            for subject in measure:
                found[subject.name].append(measured(subject))
                sys.stderr.write(f"{subject.name}: {found[subject.name][-1]}\n")
    folder = chosen.recordings
    recordings = ingest_store.recordings(folder) if folder else iter([recorded])
    result = figures(found) | stored(recordings, "recordings" if folder else "this machine")
    sys.stdout.write(table(measure, found) + "\n" + summary(result) + "\n")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
