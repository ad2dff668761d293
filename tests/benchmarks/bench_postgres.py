"""What samples cost on PostgreSQL beside SQLite: `python -m tests.benchmarks.bench_postgres`.

The same scrapes go into both: 2,000 series of noisy gauges, a batch and a commit each, both with
every commit forced to the disk. CPU seconds are those of this process and of the server together.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import text

from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.model.series import Series
from rootward.ports import WindowQuery
from tests.benchmarks.ingest_store import SERIES, START_UNIX, STEP_SECONDS, Recording
from tests.real.postgres import PostgresServer

_TICKS = os.sysconf("SC_CLK_TCK")
_SIZES = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE c.relkind = 'r' AND " \
         "relnamespace = 'public'::regnamespace"  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A database to measure."""

    name: str
    url: str
    server_seconds: Callable[[], float]
    """CPU seconds of its server so far."""
    size: Callable[[Database], int]
    """Bytes on the disk, tidied up first."""


@dataclass(frozen=True)
class Cost:
    """What one place asked for."""

    samples_per_cpu_second: float
    samples_per_second: float
    own_share: float
    bytes_per_sample: float
    window_seconds: float
    register_seconds: float
    expire_seconds: float


def measured(place: Place, rows: int) -> Cost:
    """Store so many scrapes, read them as one window, and expire them."""
    database = open_database(place.url)
    migrate(database)
    store, empty = SqlSampleStore(database), place.size(database)
    scrapes = list(_recording(rows).batches())
    began = time.perf_counter()
    store.append(scrapes[0])
    registered = time.perf_counter() - began
    own, server, began = time.process_time(), place.server_seconds(), time.perf_counter()
    for scrape in scrapes[1:]:
        store.append(scrape)
    took = time.perf_counter() - began
    own, server = time.process_time() - own, place.server_seconds() - server
    samples = sum(map(len, scrapes[1:]))
    size = place.size(database) - empty
    window = float(np.median([_window_seconds(place.url, rows) for _ in range(3)]))
    began = time.perf_counter()
    store.expire(START_UNIX + 1e6)
    expired = time.perf_counter() - began
    database.close()
    return Cost(
        samples / (own + server), samples / took, own / (own + server),
        size / samples, window, registered, expired,
    )  # fmt: skip


def _recording(rows: int) -> Recording:
    rng = np.random.default_rng(7)
    series = tuple(Series.of(f"metric_{k}", f"service-{k % 40}") for k in range(SERIES))
    times = [START_UNIX + row * STEP_SECONDS for row in range(rows)]
    return Recording(series, times, list(rng.normal(50, 9, (rows, SERIES)).round(3)))


def _window_seconds(url: str, rows: int) -> float:
    """How long a process that has read nothing yet takes for the whole window."""
    database = open_database(url)
    query = WindowQuery(START_UNIX + (rows - 1) * STEP_SECONDS, rows, STEP_SECONDS)
    began = time.perf_counter()
    window = SqlSampleStore(database).window(query)
    took = time.perf_counter() - began
    database.close()
    if not np.isfinite(window.values).all() or window.values.shape != (rows, SERIES):
        raise AssertionError("the window is not what was stored")
    return took


def _server_seconds(postmaster: int) -> float:
    """CPU seconds of a server and its children, those that have ended included."""
    ticks = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if folder.name == str(postmaster):
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == str(postmaster):
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICKS


def _sqlite_size(database: Database) -> int:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"):
            driver.execute(statement)
    return Path(str(database.engine.url.database)).stat().st_size


def _postgres_size(database: Database) -> int:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM FULL"))
        return int(connection.scalar(text(_SIZES)) or 0)


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000, help="scrapes of 2,000 series")
    rows = parser.parse_args().rows
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(PostgresServer("fsync=on"))
        sqlite = Place("SQLite", f"sqlite:///{folder / 'rootward.db'}", lambda: 0.0, _sqlite_size)
        postgres = Place(
            "PostgreSQL",
            server.url(server.fresh()),
            lambda: _server_seconds(server.process.pid),
            _postgres_size,
        )
        for place in (sqlite, postgres):
            sys.stdout.write(_line(place.name, measured(place, rows)) + "\n")


def _line(name: str, cost: Cost) -> str:
    return (
        f"{name:10}  {cost.samples_per_cpu_second:9,.0f} samples per CPU second"
        f" ({100 * cost.own_share:.0f} % ours)  {cost.samples_per_second:9,.0f} by the clock"
        f"  {cost.bytes_per_sample:.2f} bytes per sample  window {cost.window_seconds:.2f} s"
        f"  first scrape {cost.register_seconds:.2f} s  expire {cost.expire_seconds:.2f} s"
    )


if __name__ == "__main__":
    main()
