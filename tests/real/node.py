"""Rootward as a process of its own, which a test may kill and start again, and what it stored."""

from __future__ import annotations

import math
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import numpy as np

from rootward import bootstrap
from rootward.errors import InsufficientData
from rootward.model.series import Series
from rootward.ports import WindowQuery
from rootward.settings import Settings
from tests.real.servers import answers, stopped, until

Samples = dict[tuple[Series, int], float]
"""Value by series and time in Unix microseconds, which is what stores keep."""


class Program:
    """One of our commands as a process, which may be killed and started again.

    `wrap` comes before the command and may change what the process sees of its machine.
    """

    def __init__(
        self, folder: Path, command: str, *, wrap: tuple[str, ...] = (), **settings: object
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.url = ""
        self.command = command
        self._folder = folder
        self._starts = 0
        self._wrap = wrap
        self._settings = {"port": 0} | settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            stopped(self.process)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.resume()
            stopped(self._process)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that runs now."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def log(self) -> str:
        """What it has written since it was started."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self._folder / f"rootward-{self._starts}.log"

    def start(self) -> None:
        """Start it; returns once it is ready."""
        self.launch()
        self.until_ready()

    def until_ready(self) -> None:
        """Return once it is ready."""
        until(self._says_where, f"rootward {self.command} says where it answers")
        until(self.ready, f"rootward {self.command} is ready")

    def launch(self) -> None:
        """Start it; returns at once."""
        self._starts += 1
        named = {f"ROOTWARD_{key.upper()}": str(value) for key, value in self._settings.items()}
        with self._log.open("wb") as written:
            self._process = subprocess.Popen(
                [*self._wrap, sys.executable, "-W", "ignore", "-m", "rootward_cli", self.command],
                env=os.environ | named,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
            )

    def ready(self) -> bool:
        """Whether it says that it can do its work."""
        return answers(f"{self.url}/readyz")

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """Let it stand still, as an overloaded machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Tell it to stop; returns its exit status."""
        return stopped(self.process)

    def _says_where(self) -> bool:
        assert self.process.poll() is None, f"rootward ended:\n{self.log[-2000:]}"
        found = re.search(r"answers at (http://[\w.:]+)", self.log)
        self.url = found[1] if found else ""
        return bool(found)


class Node(Program):
    """`rootward up` on a database that outlives it; the port is another one after each start."""

    def __init__(self, folder: Path, *, wrap: tuple[str, ...] = (), **settings: object) -> None:
        self.database = folder / "rootward.db"
        settings = {"database_url": self.database_url} | settings
        super().__init__(folder, "up", wrap=wrap, **settings)

    @property
    def database_url(self) -> str:
        """Where it stores."""
        return f"sqlite:///{self.database}"

    def until_idle(self) -> None:
        """Return once it has handled all that it took, and others can read it."""
        until(lambda: self.idle() and not self._queued(), "all that was taken is handled")

    def settle(self) -> None:
        """Stop it once it has handled all that it took."""
        self.until_idle()
        assert self.stop() == 0

    def _queued(self) -> int:
        """Batches that other readers of the database do not see yet; it takes a second at most."""
        with closing(sqlite3.connect(self.database)) as reader:
            (count,) = reader.execute("SELECT count(*) FROM queued_batch").fetchone()
            return int(count)

    def idle(self) -> bool:
        """Whether it has handled all that it took."""
        status = httpx.get(f"{self.url}/api/v1/status", timeout=30).raise_for_status().json()
        return status["bus_backlog"] == 0


def stored(database_url: str, microseconds: Iterable[int]) -> Samples:
    """What a database holds at these times exactly, without what was not a number."""
    found: Samples = {}
    platform = bootstrap.build(Settings(database_url=database_url))
    try:
        for time in sorted(set(microseconds)):
            query = WindowQuery(end_unix=time / 1e6, rows=1, step_seconds=1e-6)
            try:
                window = platform.samples.window(query)
            except InsufficientData:
                continue
            row = window.values[0].tolist()
            found |= {(series, time): v for series, v in zip(window.series, row, strict=True)}
    finally:
        platform.close()
    return found


def stored_services(database_url: str, end_unix: float, *, seconds: float) -> set[str]:
    """The services whose last sample of this time is a number."""
    platform = bootstrap.build(Settings(database_url=database_url))
    try:
        query = WindowQuery(end_unix=end_unix, rows=1, step_seconds=seconds)
        return set(platform.samples.window(query).services)
    finally:
        platform.close()


def differences(expected: Samples, found: Samples) -> list[str]:
    """The first of what is missing, added or of another value, in words; empty when equal."""
    known = {key for key, value in expected.items() if not math.isnan(value)}
    missing = [f"missing: {key}" for key in known - found.keys()]
    added = [f"added: {key}" for key in found.keys() - known]
    other = [
        f"{key}: {expected[key]!r} became {found[key]!r}"
        for key in known & found.keys()
        if np.float64(expected[key]).tobytes() != np.float64(found[key]).tobytes()
    ]
    return [*missing[:5], *added[:5], *other[:5]]
