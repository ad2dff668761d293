"""Rootward as a process of its own, which a test may kill and start again, and what it stored."""

from __future__ import annotations

import math
import re
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np

from rootward import bootstrap
from rootward.adapters.sql.chunks import Grid
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.model.series import Series
from rootward.ports import WindowQuery
from rootward.settings import Settings
from tests.real.children import Child, answers, until

Samples = dict[tuple[Series, int], float]
"""Value by series and time in Unix microseconds, which is what stores keep."""


class Program(Child):
    """One of our commands as a process, which may be killed and started again."""

    def __init__(self, folder: Path, command: str, **settings: object) -> None:
        super().__init__(f"rootward {command}", folder)
        self.url = ""
        self._command = (sys.executable, "-W", "ignore", "-m", "rootward_cli", command)
        self._starts = 0
        self._settings = {"port": 0} | settings

    def command(self) -> Sequence[str]:
        """What is run."""
        return self._command

    def surroundings(self) -> Mapping[str, str]:
        """Its settings."""
        return {f"ROOTWARD_{key.upper()}": str(value) for key, value in self._settings.items()}

    @property
    def log_file(self) -> Path:
        """Where the output of its last start goes."""
        return self.folder / f"rootward-{self._starts}.log"

    def launch(self) -> None:
        """Start it; returns at once."""
        self._starts += 1
        self.url = ""
        super().launch()

    def is_ready(self) -> bool:
        """Whether it has said where it answers, and says there that it can do its work."""
        if not self.url:
            found = re.search(r"answers at (http://[\w.:]+)", self.log)
            self.url = found[1] if found else ""
        return bool(self.url) and answers(f"{self.url}/readyz")


class Node(Program):
    """`rootward up` on a database that outlives it; the port is another one after each start."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.database = folder / "rootward.db"
        settings = {"database_url": self.database_url} | settings
        super().__init__(folder, "up", **settings)

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
    """What a database holds at these times exactly, without what was not a number.

    All is read at once, as `window` reads: a window for each time would read each chunk that often.
    """
    times = np.unique(np.fromiter(microseconds, np.int64))
    if not len(times):
        return {}
    platform = bootstrap.build(Settings(database_url=database_url))
    try:
        assert isinstance(platform.samples, SqlSampleStore)
        everything = WindowQuery(end_unix=times[-1] / 1e6, rows=1, step_seconds=1.0)
        chunks, names = platform.samples._read(everything, int(times[0]) - 1, int(times[-1]))
    finally:
        platform.close()
    edges = np.union1d(times - 1, times)  # a row for what lies between, and one for each time
    columns = np.full(max(names, default=0) + 1, -1)
    columns[list(names)] = np.arange(len(names))
    grid = Grid(edges, int(times[0]) - 1, columns, len(names))
    for chunk in chunks:
        grid.add(chunk)
    rows = grid.values[np.searchsorted(edges, times)]
    series = list(names.values())
    at = zip(*(axis.tolist() for axis in np.nonzero(np.isfinite(rows))), strict=True)
    return {(series[column], int(times[row])): float(rows[row, column]) for row, column in at}


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
