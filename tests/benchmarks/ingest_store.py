"""What samples cost in the store: bytes on disk on recordings, seconds to read a window."""

from __future__ import annotations

import csv
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rootward.adapters.sql.engine import open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.model.series import SampleBatch, Series
from rootward.ports import WindowQuery

ROWS, SERIES, STEP_SECONDS = 1000, 2000, 15.0
START_UNIX = 1_700_000_000.0
_SOURCES = ("stat", "meminfo", "vmstat", "diskstats", "net/dev", "loadavg", "interrupts")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass
class Recording:
    """Rows of one system: at each time a value for each series."""

    series: tuple[Series, ...]
    times: list[float] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)

    def batches(self) -> Iterator[SampleBatch]:
        """A batch a row, without what was not measured."""
        for when, row in zip(self.times, self.rows, strict=True):
            index = np.flatnonzero(np.isfinite(row)).astype(np.int32)
            yield SampleBatch("default", self.series, index, np.full(len(index), when), row[index])


def recordings(folder: Path) -> Iterator[Recording]:
    """Every metrics.csv below a folder: first column time, then a column for each series."""
    for number, path in enumerate(sorted(folder.rglob("metrics.csv"))):
        with path.open(newline="") as file:
            names, *lines = csv.reader(file)
        series = tuple(Series.of(name, f"recording-{number}") for name in names[1:])
        values = [np.array([float(cell or "nan") for cell in line]) for line in lines]
        yield Recording(series, [row[0] for row in values], [row[1:] for row in values])


@contextmanager
def machine_recorded(every_seconds: float = 1.0) -> Iterator[Recording]:
    """This machine while the body runs: the numbers that its kernel tells, once a second."""
    first = _kernel_numbers()
    found = Recording(tuple(Series.of(name, "machine") for name in sorted(first)))
    stop = threading.Event()

    def record() -> None:
        while not stop.wait(every_seconds):
            now = _kernel_numbers()
            found.times.append(time.time())
            found.rows.append(np.array([now.get(name, np.nan) for name in sorted(first)]))

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _kernel_numbers() -> dict[str, float]:
    found = {}
    for source in _SOURCES:
        for line in Path("/proc", source).read_text().splitlines():
            name = re.split(r"[\s:]", line.strip())[0]
            for place, number in enumerate(_NUMBER.findall(line.partition(" ")[2])):
                found[f"{source}_{name}_{place}"] = float(number)
    return found


def bytes_per_sample(recorded: Iterator[Recording]) -> tuple[float, int]:
    """Bytes that the database grows by for each sample, names and indices included; samples."""
    samples = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rootward.db")
        store = _opened(path)
        _shrink(path)
        empty = path.stat().st_size
        for recording in recorded:
            for batch in recording.batches():
                store.append(batch)
                samples += len(batch)
        _shrink(path)
        return (path.stat().st_size - empty) / samples, samples


def window_read_seconds() -> tuple[float, float]:
    """The first read of 2,000 series by 1,000 steps: by the clock, and of CPU; medians of 3."""
    rng = np.random.default_rng(7)
    series = tuple(Series.of(f"metric_{k}", f"service-{k % 40}") for k in range(SERIES))
    values = rng.normal(50, 9, (ROWS, SERIES)).round(3)
    times = [START_UNIX + row * STEP_SECONDS for row in range(ROWS)]
    query = WindowQuery(times[-1], ROWS, STEP_SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rootward.db")
        store = _opened(path)
        for batch in Recording(series, times, list(values)).batches():
            store.append(batch)
        took = []
        for _ in range(3):
            fresh = _opened(path)
            began = time.perf_counter(), time.thread_time()
            window = fresh.window(query)
            took.append((time.perf_counter() - began[0], time.thread_time() - began[1]))
        if not np.array_equal(window.values[:, [0, 1]], values[:, [0, 1]]):
            raise AssertionError("the window is not what was stored")
        wall, cpu = np.median(took, axis=0).tolist()
        return wall, cpu


def _opened(path: Path) -> SqlSampleStore:
    database = open_database(f"sqlite:///{path}")
    migrate(database)
    return SqlSampleStore(database)


def _shrink(path: Path) -> None:
    """As the file is once nothing is left in the log, and free pages are given back."""
    database = open_database(f"sqlite:///{path}")
    with database.engine.connect() as connection:
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
            connection.connection.driver_connection.execute(statement)
    database.close()
