"""Services in processes of their own, on real servers: they share work, drain, do the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from rootward.model.series import Series
from tests.real.children import until
from tests.real.distributed import Distributed, distributed
from tests.real.node import differences, stored

DRAIN_SECONDS = 30.0
"""What docs/operations.md says a stop takes at most."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    """Two of what takes in and watches, one of the rest; rows as short as they can be."""
    folder = tmp_path_factory.mktemp("distributed")
    with distributed(folder, {"ingest": 2, "detect": 2}, step_seconds=1) as one:
        yield one


def send(url: str, time_unix: float, value: float) -> dict[tuple[Series, int], float]:
    """Have a sample of each of many services accepted; returns what must be stored."""
    named = [f"service-{k}" for k in range(20)]
    samples = [
        {"metric": "cpu_usage", "labels": {"service": one}, "time": time_unix, "value": value}
        for one in named
    ]
    answer = httpx.post(f"{url}/api/v1/samples", json={"samples": samples}, timeout=30)
    assert answer.status_code == 200, answer.text
    at = round(time_unix * 1e6)
    return {(Series.of("cpu_usage", one), at): value for one in named}


def handled(running: Distributed) -> bool:
    """Whether every batch has been handled."""
    (url,) = running.urls("dashboard")
    return httpx.get(f"{url}/api/v1/status", timeout=30).json()["bus_backlog"] == 0


def test_what_any_ingest_takes_any_dashboard_shows(running: Distributed):
    now = time.time()
    expected = {}
    for k, url in enumerate(running.urls("ingest")):
        expected |= send(url, now + k / 10, float(k))
    until(lambda: handled(running), "all batches are handled")

    found = stored(str(running.settings["database_url"]), {at for _, at in expected})
    assert differences(expected, found) == []


def test_detectors_share_all_partitions(running: Distributed):
    def owned() -> list[float]:
        texts = [httpx.get(f"{url}/metrics", timeout=30).text for url in running.urls("detect")]
        return [float(re.findall(r"^rootward_bus_partitions (\S+)", t, re.M)[0]) for t in texts]

    until(lambda: owned() == [3, 3], "each of two detectors has half of six partitions")


def test_every_service_says_that_it_is_ready_and_has_metrics(running: Distributed):
    for name, program in running.programs.items():
        for path in ("livez", "readyz", "metrics"):
            assert httpx.get(f"{program.url}/{path}", timeout=30).status_code == 200, (name, path)


def test_each_drains_in_time_and_nothing_that_was_accepted_is_lost(running: Distributed):
    expected = {}
    start = time.time()
    for k, (name, program) in enumerate(running.programs.items()):
        others = [url for url in running.urls("ingest") if url != program.url]
        expected |= send(others[0], start + k / 10, float(k))
        began = time.monotonic()
        assert program.stop() == 0, name
        assert time.monotonic() - began < DRAIN_SECONDS, name
        expected |= send(others[0], start + k / 10 + 0.05, float(k))
        program.start()
    until(lambda: handled(running), "all batches are handled")

    found = stored(str(running.settings["database_url"]), {at for _, at in expected})
    assert differences(expected, found) == []


def test_the_demo_ends_as_in_one_process(running: Distributed):
    told = {f"ROOTWARD_{name.upper()}": str(value) for name, value in running.settings.items()}
    (pages,) = running.urls("dashboard")
    done = subprocess.run(
        [sys.executable, "-m", "rootward_cli", "demo", "--against", "--fault", "latency@catalogue",
         "--exit"],
        capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | told | {"COLUMNS": "200", "ROOTWARD_PUBLIC_URL": pages},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ +1\. catalogue ", done.stdout, re.MULTILINE)
    number = re.findall(r"/incidents/(INC-\d+)", done.stdout)[-1]
    assert httpx.get(f"{pages}/api/v1/incidents/{number}", timeout=30).status_code == 200
