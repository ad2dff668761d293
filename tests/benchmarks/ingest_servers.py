"""Servers to be measured, each a child process with a folder of its own, and what they take."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rootward.errors import RootwardError
from tests.real.children import free_port

LONGEST_START_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    def cpu_seconds(self) -> float:
        """User and system time of the process with all of its threads, to 10 ms."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(stat[11]) + int(stat[12])) / _TICKS

    def resident_bytes(self) -> int:
        """Memory of the process."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * _PAGE

    def backlog(self) -> float:
        """Batches that were taken and not handled yet."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        named = (line.split() for line in lines if line.startswith("rootward_bus_backlog "))
        return float(next(named)[1])


@contextmanager
def rootward(stage: str) -> Iterator[Server]:
    """A Rootward that goes as far as a stage of `ingest_child`."""
    child = Path(__file__).with_name("ingest_child.py")
    with _folder() as folder:
        port = free_port()
        command = [sys.executable, str(child), stage, str(folder / "rootward.db"), str(port)]
        with _running(command, folder, port, "/livez") as server:
            yield server


@contextmanager
def prometheus(binary: str) -> Iterator[Server]:
    """A Prometheus that takes remote write."""
    with _folder() as folder:
        (folder / "prometheus.yml").write_text("scrape_configs: []\n")
        port = free_port()
        command = [
            binary,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver",
        ]
        with _running(command, folder, port, "/-/ready") as server:
            yield server


@contextmanager
def _folder() -> Iterator[Path]:
    path = tempfile.mkdtemp(prefix="rootward-bench-")
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _running(command: list[str], folder: Path, port: int, ready: str) -> Iterator[Server]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    server = Server(process, f"http://127.0.0.1:{port}", folder)
    try:
        wait_until(lambda: _answers(server, ready), LONGEST_START_SECONDS)
        yield server
    finally:
        process.terminate()
        process.communicate()


def _answers(server: Server, path: str) -> bool:
    if server.process.poll() is not None:
        raise RootwardError(f"it ended: {(server.folder / 'log').read_text()[-2000:]}")
    try:
        with urllib.request.urlopen(server.url + path, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    """Return once it is true; raise RootwardError if it does not get there in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise RootwardError(f"waited {seconds:g} s in vain")
        time.sleep(0.05)
