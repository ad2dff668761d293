"""What the parts of the distributed mode cost: `make bench-parts`; writes out/bench/parts.json.

CPU seconds are those of our process alone: brokers and databases are sized by their own means.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from rootward import telemetry
from rootward.adapters.kafka.bus import KafkaBus
from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.reading import Membership
from rootward.model.series import SampleBatch, Series
from rootward.testing.fakes import ManualClock, fake_platform
from rootward_worker.detect import Detector
from rootward_worker.options import WorkerOptions
from tests.real.brokers import KafkaServer
from tests.real.children import until

OUT = Path("out/bench/parts.json")
METRICS = ("latency_p90_seconds", "http_requests_errors_ratio", "http_requests_rate", "cpu_usage")
START_UNIX, STEP_SECONDS = 1_700_000_010.0, 15.0


def rows(series: int, count: int) -> Iterator[SampleBatch]:
    """A batch a row: healthy services of four series each."""
    chance = np.random.default_rng(series)
    names = tuple(Series.of(METRICS[k % 4], f"service-{k // 4:04}") for k in range(series))
    index = np.arange(series, dtype=np.int32)
    usual = np.tile([0.05, 0.004, 20.0, 0.3], -(-series // 4))[:series]
    for row in range(count):
        times = np.full(series, START_UNIX + (row - 0.5) * STEP_SECONDS)
        values = usual * chance.lognormal(0, 0.1, series)
        yield SampleBatch("default", names, index, times, values)


def detector_seconds(series: int, looked_at: int = 20) -> float:
    """CPU seconds for a row of a full window, what is normal learnt anew among them.

    Storing the row is not among them: it is measured on a real database, by bench_postgres.
    """
    options, clock = WorkerOptions(step_seconds=STEP_SECONDS), ManualClock()
    platform = replace(fake_platform(clock), stored_elsewhere=True)
    detector, spent, before = Detector(platform, options), 0.0, _looks()
    for row, batch in enumerate(rows(series, options.window_rows + looked_at)):
        clock.set(float(batch.times[0]))
        platform.samples.append(batch)
        if row < options.window_rows:
            continue
        began = time.process_time()
        detector.on_batch(batch)
        spent += time.process_time() - began if row > options.window_rows else 0.0
    if _looks() - before < looked_at - 1:
        raise AssertionError("the detector has not looked at every row")
    return spent / (looked_at - 1)


def _looks() -> float:
    """Rows that the detectors of this process have looked at."""
    standing = telemetry.standing().items()
    return sum(n for (_, name, _), n in standing if name.endswith("detect_duration_seconds_count"))


def bus_samples(batches: int, series: int = 2000) -> tuple[float, float]:
    """Samples per CPU second that a process publishes on Kafka, and that one reads from it."""
    sent = list(rows(series, batches))
    with KafkaServer() as server:
        cluster = replace(Cluster.of(server.url), partitions=6)
        bus = KafkaBus(cluster, 100 * batches, Membership("one"))
        bus.publish(sent[0])
        began = time.process_time()
        for batch in sent[1:]:
            bus.publish(batch)
        published = time.process_time() - began
        began = time.process_time()
        bus.serve(lambda _: None)
        until(lambda: bus.backlog() == 0, "all is read", seconds=600)
        read = time.process_time() - began
        bus.close()
    return series * (batches - 1) / published, series * batches / read


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--series", type=int, nargs="+", default=[200, 1000, 5000])
    told = parser.parse_args()
    published, read = bus_samples(told.batches)
    figures = {
        "published_samples_per_cpu_second": round(published),
        "read_samples_per_cpu_second": round(read),
        "detector_cpu_seconds_per_row": {
            str(series): round(detector_seconds(series), 4) for series in told.series
        },
        "load_average": round(os.getloadavg()[0], 1),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=1) + "\n")
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
