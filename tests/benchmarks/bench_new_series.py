"""python -m tests.benchmarks.bench_new_series: what series that were never seen cost.

Remote write 1.0 through decoder, rules and the durable bus, in this process and without HTTP;
CPU seconds of all threads. Prints the median over requests of new series, the same requests
again, and the seconds that the body of about 1 MB takes which holds the most new series.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rootward import bootstrap
from rootward.settings import Settings
from rootward_ingest.decode import decode
from rootward_ingest.intake import Intake
from rootward_ingest.limits import DEFAULTS, Limits
from rootward_ingest.messages import WriteRequestMessage
from rootward_ingest.rules import Rules
from tests.benchmarks.ingest_bodies import SAMPLES, Fleet

REQUESTS = 10
TENANT = "default"


@contextmanager
def intake(limits: Limits) -> Iterator[Intake]:
    """An intake on an empty embedded platform, with the built-in rules."""
    with tempfile.TemporaryDirectory() as folder:
        platform = bootstrap.build(Settings(database_url=f"sqlite:///{folder}/rootward.db"))
        try:
            yield Intake(platform, limits, None, Rules())
        finally:
            platform.close()


def body(labels: list[tuple[tuple[str, str], ...]], now_ms: int) -> bytes:
    """A request with one sample of each series, not compressed."""
    request = WriteRequestMessage()
    for one in labels:
        series = request.timeseries.add()
        for name, value in one:
            series.labels.add(name=name, value=value)
        series.samples.add(value=1.5, timestamp=now_ms)
    return request.SerializeToString()


def seconds(entrance: Intake, request: bytes, limits: Limits) -> float:
    """CPU seconds that a request takes."""
    started = time.process_time()
    readings = decode(request, entrance.known_of(TENANT), limits)
    entrance.accept(readings, "remote_write", TENANT)
    return time.process_time() - started


def main() -> None:
    """Measure, and print one JSON document."""
    now_ms = int(time.time() * 1000)
    fleet = Fleet("bench", SAMPLES * REQUESTS, now_ms)
    bodies = [body(fleet.labels[k::REQUESTS], now_ms) for k in range(REQUESTS)]
    wide = Limits(max_series=10**6)
    with intake(wide) as entrance:
        new = [seconds(entrance, one, wide) for one in bodies]
        again = [seconds(entrance, one, wide) for one in bodies]
    short = [(("__name__", "m"), ("a", f"{k:x}"), ("service", "s")) for k in range(250_000)]
    with intake(DEFAULTS) as entrance:
        most = seconds(entrance, body(short, now_ms), DEFAULTS)
    figures = {
        "new_series_per_cpu_second": round(SAMPLES / statistics.median(new)),
        "known_series_per_cpu_second": round(SAMPLES / statistics.median(again)),
        "most_new_series_in_a_body_cpu_seconds": round(most, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
