"""How long the API takes with 10,000 incidents and 100,000 alerts: `make bench-api`.

Each call is sent one after the other to a dashboard in a process of its own; of each the median
and the 95th percentile of the time to its whole answer, and how much memory the process grew by.
"""

from __future__ import annotations

import argparse
import json
import os
import platform as machine
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np

from rootward import __version__, bootstrap
from rootward.settings import Settings
from tests.benchmarks import api_store
from tests.real.children import answers, free_port, until

TARGET_MS = 150.0
_KEY = quote(api_store.SERIES[0].key)
_NOW = api_store.NOW


def calls(incidents: int) -> Mapping[str, str]:
    """The calls by name."""
    middle = f"INC-{incidents // 2}"
    data = f"/api/v1/series/data?series={_KEY}&end={_NOW}&onset={_NOW - 3600}"
    return {
        "list": "/api/v1/incidents?limit=50",
        "list_open": "/api/v1/incidents?status=open&limit=50",
        "list_service": "/api/v1/incidents?service=service-07&severity=critical&limit=50",
        "list_search": "/api/v1/incidents?q=queue_depth%20service-07&limit=50",
        "list_rare_word": "/api/v1/incidents?q=nowhere&limit=50",
        "facets": "/api/v1/incidents/facets",
        "facets_search": "/api/v1/incidents/facets?q=queue_depth&status=resolved",
        "page": f"/api/v1/incidents/{middle}",
        "diagnosis": f"/api/v1/incidents/{middle}/diagnosis",
        "activity": f"/api/v1/incidents/{middle}/activity",
        "timeline": f"/api/v1/incidents/{middle}/timeline",
        "similar": f"/api/v1/incidents/{middle}/similar",
        "feedback": f"/api/v1/incidents/{middle}/feedback",
        "series_hour": f"{data}&start={_NOW - 3600}&points=600",
        "series_day": f"{data}&start={_NOW - 86_400}&points=600",
        "series_73_days": f"{data}&start={_NOW - 73 * 86_400}&points=600",
        "series_list": "/api/v1/series?limit=200",
        "alerts": "/api/v1/alerts?limit=50",
        "topology": "/api/v1/topology",
        "status": "/api/v1/status",
        "methods": "/api/v1/methods",
        "accuracy": "/api/v1/accuracy",
    }


@dataclass(frozen=True)
class Measured:
    """Times of one call, milliseconds, and the size of its answer."""

    p50_ms: float
    p95_ms: float
    bytes: int


def measure(client: httpx.Client, path: str, times: int) -> Measured:
    """Send a request so many times, after two that warm up."""
    took = []
    for k in range(times + 2):
        begun = time.perf_counter()
        answer = client.get(path)
        if k > 1:
            took.append(1000 * (time.perf_counter() - begun))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")
    low, high = np.percentile(took, [50, 95])
    return Measured(round(float(low), 2), round(float(high), 2), len(answer.content))


def measure_deep(client: httpx.Client, times: int) -> Measured:
    """Pages one behind the other."""
    took, cursor = [], ""
    for _ in range(times):
        begun = time.perf_counter()
        answer = client.get(f"/api/v1/incidents?limit=50{cursor}")
        took.append(1000 * (time.perf_counter() - begun))
        cursor = f"&cursor={answer.json()['next_cursor']}"
    low, high = np.percentile(took, [50, 95])
    return Measured(round(float(low), 2), round(float(high), 2), len(answer.content))


def measure_deed(client: httpx.Client, times: int) -> Measured:
    """Acknowledge, each time another incident."""
    took = []
    for k in range(times):
        begun = time.perf_counter()
        answer = client.post(f"/api/v1/incidents/INC-{k + 1}/acknowledge")
        took.append(1000 * (time.perf_counter() - begun))
    low, high = np.percentile(took, [50, 95])
    return Measured(round(float(low), 2), round(float(high), 2), len(answer.content))


@contextmanager
def serving(url: str) -> Iterator[tuple[str, int]]:
    """A dashboard in a process of its own: its address and process id."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.api_child", url, str(port)]
    process = subprocess.Popen(command)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/livez"), "the dashboard to answer")
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def rss_mb(pid: int) -> float:
    """Memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The address of an empty database."""
    if kind == "postgresql":
        from tests.real.postgres import PostgresServer

        with PostgresServer() as server:
            yield server.url(server.fresh())
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/bench.db"


def run(kind: str, incidents: int, alerts: int, times: int) -> dict[str, object]:
    """Fill a store and measure every call."""
    with database(kind) as url:
        platform = bootstrap.build(Settings(database_url=url))
        begun = time.perf_counter()
        api_store.fill(url, platform, incidents, alerts)
        platform.close()
        print(f"{kind}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
        with serving(url) as (address, pid), httpx.Client(base_url=address, timeout=60) as client:
            found = {name: measure(client, path, times) for name, path in calls(incidents).items()}
            found["list_deep"] = measure_deep(client, min(times, incidents // 50 - 1))
            found["acknowledge"] = measure_deed(client, times)
            growth = _growth(client, pid, incidents)
    for name, one in found.items():
        sign = "" if one.p95_ms < TARGET_MS else "  over the target"
        print(f"  {name:16} p50 {one.p50_ms:8.1f} ms   p95 {one.p95_ms:8.1f} ms{sign}", flush=True)
    print(f"  memory grew by {growth:.0f} MB while a 73-day incident was opened", flush=True)
    return {
        "p95_ms": {name: one.p95_ms for name, one in found.items()},
        "p50_ms": {name: one.p50_ms for name, one in found.items()},
        "bytes": {name: one.bytes for name, one in found.items()},
        "growth_mb": round(growth, 1),
    }


def _growth(client: httpx.Client, pid: int, incidents: int) -> float:
    before = rss_mb(pid)
    known = calls(incidents)
    for name in ("page", "timeline", "similar", "series_73_days"):
        client.get(known[name])
    return rss_mb(pid) - before


def main() -> None:
    """Measure and write out/bench/api.json."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--incidents", type=int, default=10_000)
    asked.add_argument("--alerts", type=int, default=100_000)
    asked.add_argument("--times", type=int, default=100)
    asked.add_argument("--databases", default="sqlite,postgresql")
    asked.add_argument("--out", type=Path, default=Path("out/bench/api.json"))
    said = asked.parse_args()
    kinds = said.databases.split(",")
    found = {kind: run(kind, said.incidents, said.alerts, said.times) for kind in kinds}
    told = {
        "command": f"make bench-api ARGS='{' '.join(sys.argv[1:])}'",
        "version": __version__,
        "cores": os.cpu_count(),
        "python": machine.python_version(),
        "incidents": said.incidents,
        "alerts": said.alerts,
        "times": said.times,
        "target_p95_ms": TARGET_MS,
        "p95_ms": {kind: one["p95_ms"] for kind, one in found.items()},
        "databases": found,
    }
    said.out.parent.mkdir(parents=True, exist_ok=True)
    said.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
