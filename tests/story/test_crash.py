"""What was answered with 2xx survives `kill -9`, and is there after the restart."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROWS, SERIES = 40, 25


def _start(database: Path) -> tuple[subprocess.Popen[str], str]:
    """`rootward up` as a process of its own; returns once it says where it answers."""
    surroundings = os.environ | {
        "ROOTWARD_DATABASE_URL": f"sqlite:///{database}",
        "ROOTWARD_PORT": "0",
        "ROOTWARD_STEP_SECONDS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "rootward_cli", "up"],
        env=surroundings, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if found := re.search(r"http://[\w.:]+", line):
            return process, found[0]
    raise AssertionError("".join(seen))


def _post(client: httpx.Client, row: int, now: float) -> int:
    samples = [
        {"service": f"s{k}", "metric": "cpu", "time": now - ROWS + row, "value": row + k / 100}
        for k in range(SERIES)
    ]
    return client.post("/api/v1/samples", json={"samples": samples}).status_code


def test_accepted_samples_survive_a_kill(tmp_path: Path):
    database = tmp_path / "crash.db"
    now = float(int(time.time()))
    process, url = _start(database)
    try:
        with httpx.Client(base_url=url, timeout=30) as client:
            assert [_post(client, row, now) for row in range(ROWS)] == [200] * ROWS
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()

    again, url = _start(database)
    try:
        _wait_for_samples(url, now)
        listed = httpx.get(f"{url}/api/v1/series", timeout=30).json()["items"]
        assert len(listed) == SERIES
    finally:
        again.send_signal(signal.SIGTERM)
        assert again.wait(timeout=30) == 0
        again.stderr.close()
    assert _stored(database, now) == ROWS * SERIES


def _wait_for_samples(url: str, now: float) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = httpx.get(f"{url}/api/v1/status", timeout=30).json()
        if status["bus_backlog"] == 0:
            return
    raise AssertionError("the batches that waited were not handled")


def _stored(database: Path, now: float) -> int:
    from rootward.bootstrap import build
    from rootward.ports import WindowQuery
    from rootward.settings import Settings

    platform = build(Settings(database_url=f"sqlite:///{database}"))
    try:
        window = platform.samples.window(WindowQuery(end_unix=now - 1, rows=ROWS, step_seconds=1.0))
        return int((window.values == window.values).sum())
    finally:
        platform.close()
