"""What the detector costs: a row of a healthy system at a time, through its own `on_batch`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rootward.model.series import SampleBatch, Series
from rootward.testing import fakes
from rootward.testing.fakes import ManualClock
from rootward_worker.detect import Detector
from rootward_worker.options import WorkerOptions

STEP = 15.0
START = 1_700_000_010.0
WARM_ROWS = 400
"""More than the detector looks back over; not timed."""
DAY_ROWS = int(86_400 / STEP)
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "+Inf")
GAUGES = ("cpu_usage", "memory_rss_bytes", "open_fds", "goroutines", "queue_depth", "threads")
PLAIN = ("latency_p90_seconds", "http_requests_rate", "http_requests_errors_ratio", *GAUGES)


@dataclass
class Scraped:
    """Services as Prometheus scrapes them: a third of the series gauges, the rest counters.

    A service has two routes with three status codes each, a histogram for each of them, and some
    gauges: 38 series.
    """

    services: int
    seed: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self.series = tuple(one for s in range(self.services) for one in _of_service(f"shop-{s}"))
        self._counts = np.zeros((self.services, 2, 3))
        self._buckets = np.zeros((self.services, 2, len(BOUNDS)))
        self._sums = np.zeros((self.services, 2))

    def row(self) -> np.ndarray:
        rng, size = self._rng, self.services
        calls = rng.poisson([[270.0, 24.0, 0.3]] * 2, (size, 2, 3))
        self._counts += calls
        took = rng.dirichlet(40 * np.diff(np.linspace(0, 1, len(BOUNDS) + 1) ** 0.5), (size, 2))
        self._buckets += np.cumsum(took * calls.sum(axis=2)[..., None], axis=2)
        self._sums += calls.sum(axis=2) * 0.05 * rng.lognormal(0, 0.1, (size, 2))
        gauges = 10 * rng.lognormal(0, 0.1, (size, len(GAUGES)))
        parts = (
            self._counts,
            self._buckets,
            self._sums[..., None],
            self._counts.sum(axis=2)[..., None],
        )
        return np.hstack([gauges, *(p.reshape(size, -1) for p in parts)]).ravel()


@dataclass
class Gauges:
    """Services whose metrics arrive ready-made, as a collector or a recording rule sends them."""

    services: int
    seed: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self.series = tuple(
            Series.of(metric, f"shop-{s}") for s in range(self.services) for metric in PLAIN
        )

    def row(self) -> np.ndarray:
        rng, size = self._rng, self.services
        latency = 0.05 * rng.lognormal(0, 0.2, (size, 1))
        traffic = 20 * rng.normal(1, 0.05, (size, 1))
        errors = rng.binomial(300, 0.004, (size, 1)) / 300
        gauges = 10 * rng.lognormal(0, 0.1, (size, len(GAUGES)))
        return np.hstack([latency, traffic, errors, gauges]).ravel()


def _of_service(name: str) -> Iterator[Series]:
    for metric in GAUGES:
        yield Series.of(metric, name)
    routes = ("/", "/pay")
    for route in routes:
        for code in ("200", "404", "500"):
            yield Series.of("http_requests_total", name, route=route, code=code)
    for route in routes:
        for le in BOUNDS:
            yield Series.of("http_request_duration_seconds_bucket", name, route=route, le=le)
    for end in ("sum", "count"):
        for route in routes:
            yield Series.of(f"http_request_duration_seconds_{end}", name, route=route)


@dataclass(frozen=True)
class Cost:
    """Of a run of the detector."""

    series: int
    rows: int
    updates_per_second: float
    """Samples a second of processor time."""
    slowest_row_ms: float
    grown_mib: float
    """Resident memory after the last row over that after the warm-up."""
    incidents: int


def run(system: Scraped | Gauges, rows: int) -> Cost:
    """Feed a healthy system to a detector whose samples are stored elsewhere."""
    clock = ManualClock(START)
    platform = replace(fakes.fake_platform(), clock=clock, stored_elsewhere=True)
    detector = Detector(platform, WorkerOptions(step_seconds=STEP))
    took = np.zeros(rows)
    before = 0.0
    for row in range(-WARM_ROWS, rows):
        if row == 0:
            before = _resident_mib()
        batch = _batch(system, row)
        clock.set(float(batch.times[0]))
        began = time.process_time()
        detector.on_batch(batch)
        if row >= 0:
            took[row] = time.process_time() - began
    return Cost(
        series=len(system.series),
        rows=rows,
        updates_per_second=float(len(system.series) * rows / took.sum()),
        slowest_row_ms=float(1000 * took.max()),
        grown_mib=_resident_mib() - before,
        incidents=len(platform.incidents.page(limit=100).items),
    )


def _batch(system: Scraped | Gauges, row: int) -> SampleBatch:
    size = len(system.series)
    times = np.full(size, START + (WARM_ROWS + row) * STEP - STEP / 2)
    return SampleBatch(
        "default", system.series, np.arange(size, dtype=np.int32), times, system.row()
    )


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return float(line.split()[1]) / 1024
    return float("nan")
