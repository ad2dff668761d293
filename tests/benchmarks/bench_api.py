"""How long the API takes with 10,000 incidents and 100,000 alerts: `make bench-api`.

Each call is sent one after the other to a dashboard in a process of its own; of each the median
and the 95th percentile of the time to its whole answer, and the processor time it took the server,
which says more where other work shares the machine. Then how much the server grows while an
incident of 73 days is opened whose samples are all there.
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np

from rootward import __version__, bootstrap
from rootward.ports import Platform
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
    cpu_ms: float
    """Of the server, on average."""
    bytes: int


@dataclass(frozen=True)
class Server:
    """A dashboard in a process of its own, and who asks it."""

    client: httpx.Client
    pid: int

    def measure(self, ask: Callable[[int], httpx.Response], times: int) -> Measured:
        """Ask so many times, after two that warm up; `ask` is told which time it is."""
        took = []
        spent = 0.0
        for k in range(times + 2):
            if k == 2:
                spent = cpu_ms(self.pid)
            begun = time.perf_counter()
            answer = ask(k)
            took.append(1000 * (time.perf_counter() - begun))
            if answer.status_code != 200:
                raise SystemExit(f"{answer.url}: {answer.status_code} {answer.text[:300]}")
        low, high = np.percentile(took[2:], [50, 95])
        each = (cpu_ms(self.pid) - spent) / times
        size = len(answer.content)
        return Measured(round(float(low), 2), round(float(high), 2), round(each, 2), size)

    def get(self, path: str, times: int) -> Measured:
        """One address again and again."""
        return self.measure(lambda _: self.client.get(path), times)

    def deep(self, times: int) -> Measured:
        """Pages one behind the other."""
        cursor = ""

        def ask(_: int) -> httpx.Response:
            nonlocal cursor
            answer = self.client.get(f"/api/v1/incidents?limit=50{cursor}")
            cursor = f"&cursor={answer.json()['next_cursor']}"
            return answer

        return self.measure(ask, times)

    def acknowledge(self, times: int) -> Measured:
        """Each time another incident."""
        at = "/api/v1/incidents/INC-{}/acknowledge"
        return self.measure(lambda k: self.client.post(at.format(k + 1)), times)

    def growth_mb(self, paths: Iterable[str]) -> float:
        """By how much memory grows while addresses are read."""
        before = rss_mb(self.pid)
        for path in paths:
            self.client.get(path).raise_for_status()
        return rss_mb(self.pid) - before


def cpu_ms(pid: int) -> float:
    """Processor time of a process and its threads so far."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return 1000 * (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(url: str) -> Iterator[Server]:
    """A dashboard in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.api_child", url, str(port)]
    process = subprocess.Popen(command)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/livez"), "the dashboard to answer")
        with httpx.Client(base_url=address, timeout=60) as client:
            yield Server(client, process.pid)
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
        filled(url, lambda platform: api_store.fill(url, platform, incidents, alerts))
        with serving(url) as server:
            found = {name: server.get(path, times) for name, path in calls(incidents).items()}
            found["list_deep"] = server.deep(min(times, incidents // 50 - 3))
            found["acknowledge"] = server.acknowledge(times)
    print(f"{kind}, milliseconds: median, 95th percentile, processor time of the server")
    for name, one in found.items():
        sign = "" if one.p95_ms < TARGET_MS else "  over the target"
        print(
            f"  {name:16} {one.p50_ms:8.1f} {one.p95_ms:8.1f} {one.cpu_ms:8.1f}{sign}", flush=True
        )
    with database(kind) as url:
        growth = long_incident(url)
    print(f"  memory grew by {growth:.0f} MB while an incident of 73 days was opened", flush=True)
    names = ("p95_ms", "p50_ms", "cpu_ms", "bytes")
    figures = {one: {name: getattr(call, one) for name, call in found.items()} for one in names}
    return figures | {"growth_mb": round(growth, 1)}


def long_incident(url: str) -> float:
    """By how many MB the server grows while an incident of 73 days is opened, samples and all."""
    filled(url, api_store.fill_long)
    start = (
        f"start={_NOW - api_store.LONG_SECONDS}&end={_NOW}&onset={_NOW - api_store.LONG_SECONDS}"
    )
    series = "&".join(f"series={quote(one.key)}" for one in api_store.LONG_SERIES[:5])
    with serving(url) as server:
        server.client.get("/api/v1/status").raise_for_status()
        server.client.get("/api/v1/incidents").raise_for_status()
        pages = [f"/api/v1/incidents/INC-1{part}" for part in ("", "/timeline", "/similar")]
        return server.growth_mb([*pages, f"/api/v1/series/data?{series}&{start}&points=600"])


def filled(url: str, fill: Callable[[Platform], object]) -> None:
    """Put something into a database."""
    begun = time.perf_counter()
    platform = bootstrap.build(Settings(database_url=url))
    fill(platform)
    platform.close()
    print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)


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
        "growth_mb": {kind: one["growth_mb"] for kind, one in found.items()},
        "databases": found,
    }
    said.out.parent.mkdir(parents=True, exist_ok=True)
    said.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
