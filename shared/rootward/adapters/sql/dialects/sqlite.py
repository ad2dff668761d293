"""SQLite: one file, one writer at a time, and one process that serves its queues."""

from __future__ import annotations

import fcntl
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Table,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from rootward.adapters.sql.dialects.base import LOCK_SECONDS, Claim
from rootward.errors import InvalidConfiguration, Unavailable

LEAST_FREE_BYTES = 64 * 2**20
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit is on the disk when it returns: survives power loss
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {int(LOCK_SECONDS * 1000)}",
    "PRAGMA wal_autocheckpoint = 4000",
    f"PRAGMA journal_size_limit = {64 * 2**20}",
)


class SqliteFile:
    """The file that was there at the start, and no other: what is written beside it is lost.

    SQLite goes on writing to a file that was deleted or moved away, and opens a new one where
    there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        _create("folder", lambda: self.path.parent.mkdir(parents=True, exist_ok=True))
        _create("file", self._make)
        self._identity = self._found()

    def _make(self) -> None:
        if not self.path.exists():  # touching one that is there needs more rights than reading it
            self.path.touch()

    def connect(self) -> sqlite3.Connection:
        """A connection to the file, which is not created."""
        address = f"{self.path.as_uri()}?mode=rw"
        return sqlite3.connect(address, LOCK_SECONDS, uri=True, check_same_thread=False)

    def require(self) -> None:
        """Raise Unavailable where the file is gone, or another one stands in its place."""
        try:
            same = self._found() == self._identity
        except OSError as error:
            raise Unavailable(f"the database is gone: {error}") from error
        if not same:
            raise Unavailable(f"{self.path} is another file than at the start; restart with it")

    def _found(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino


def _create(what: str, make: Callable[[], object]) -> None:
    try:
        make()
    except OSError as error:
        raise InvalidConfiguration(
            f"ROOTWARD_DATABASE_URL: its {what} cannot be created: {error}"
        ) from error


class Sqlite:
    """SQLite takes one writer at a time.

    Threads queue for it here, where waiting costs nothing; other processes wait in SQLite itself,
    for as long as `LOCK_SECONDS`.
    """

    shared = False

    def __init__(self, url: URL) -> None:
        self._file = SqliteFile(Path(str(url.database)))
        self._writer = threading.Lock()
        self.engine = create_engine(url, max_overflow=64, creator=self._file.connect)
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    def snapshot(self, connection: Connection) -> None:
        """Nothing to do: a transaction that reads sees one state."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        """The turn to write; raises Unavailable where it does not come in time."""
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            raise Unavailable(f"another write has held the database for {LOCK_SECONDS:g} s")
        try:
            yield
        finally:
            self._writer.release()

    def require(self) -> None:
        """Raise Unavailable where the file is gone."""
        self._file.require()

    def check_disk(self) -> None:
        """Raise Unavailable where the file is gone or its disk is all but full."""
        self._file.require()
        folder = self._file.path.parent
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise Unavailable(f"the folder of the database is gone: {error}") from error
        if free < LEAST_FREE_BYTES:
            raise Unavailable(
                f"{free // 2**20} MiB free in {folder}, at least {LEAST_FREE_BYTES // 2**20} needed"
            )

    def may_pass_next_time(self, error: DBAPIError) -> bool:
        """Whether a unique key was in the way."""
        return isinstance(error, IntegrityError)

    def exclude(self, connection: Connection, what: str) -> None:
        """Nothing to do: a transaction that writes is alone from its start."""

    def claim(self, queue: str) -> Claim:
        """Lock a file beside the database."""
        path = Path(f"{self._file.path}-{queue}.lock")
        held = path.open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held.close()
            raise Unavailable(f"another process serves the {queue} of this database") from error
        return _FileClaim(held)

    def insert_new(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert the rows whose unique columns are not there yet; all have the same columns."""
        names = ", ".join(f'"{name}"' for name in rows[0])
        marks = ", ".join("?" * len(rows[0]))
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING'
        connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])

    def among(self, column: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
        """Whether a column holds one of many texts."""
        return column.in_(select(func.json_each(json.dumps(texts)).table_valued("value").c.value))


class _FileClaim:
    """A locked file, which the system unlocks when the process ends."""

    def __init__(self, held: IO[str]) -> None:
        self._held = held

    def holds(self) -> bool:
        return True

    def let_go(self) -> None:
        self._held.close()


def _prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("rootward_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
