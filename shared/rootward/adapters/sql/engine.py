"""Database: one engine, transactions that read and transactions that write."""

from __future__ import annotations

import fcntl
import importlib.util
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from rootward.errors import InvalidConfiguration, Unavailable

T = TypeVar("T")

ALLOWED = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
LOCK_SECONDS = 10.0
"""How long a write waits for another one before the database counts as unavailable."""
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


class Database:
    """An engine with two ways in; a database that fails to answer becomes `Unavailable`.

    SQLite takes one writer at a time. Threads queue for it here, where waiting costs nothing;
    other processes wait in SQLite itself, for as long as `LOCK_SECONDS`.
    """

    def __init__(self, engine: Engine, file: SqliteFile | None = None) -> None:
        self.engine = engine
        self._file = file
        self._writer = threading.Lock() if file else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction whose statements all see the same state.

        Raises:
            Unavailable: the database does not answer.
        """
        with _unavailable(), self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once all that it wrote is durable; it may be called again.

        It is called again, on a clean transaction, where another process wrote the same key first.

        Raises:
            Unavailable: the database does not answer, is locked, its disk is full or its file
                is gone; nothing was written.
        """
        for _ in range(3):
            try:
                return self._write_once(work)
            except IntegrityError as error:
                clash = error
        raise clash

    def _write_once(self, work: Callable[[Connection], T]) -> T:
        with _unavailable(), self._turn():
            self._require_file()
            with self.engine.connect() as connection:
                connection = connection.execution_options(rootward_writes=True)
                with connection.begin():
                    done = work(connection)
                    self._require_file()  # before the commit, so that what is refused is not kept
                    return done

    def _require_file(self) -> None:
        if self._file is not None:
            self._file.require()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=LOCK_SECONDS):
            raise Unavailable(f"another write has held the database for {LOCK_SECONDS:g} s")
        try:
            yield
        finally:
            self._writer.release()

    def claim(self, queue: str) -> Callable[[], None]:
        """Be the one process that serves a queue of a SQLite file; returns how to let go of it.

        The claim ends with the process, however it ends. Other databases are not claimed.

        Raises:
            Unavailable: another process serves it.
        """
        if self._file is None:
            return lambda: None
        path = Path(f"{self._file.path}-{queue}.lock")
        held = path.open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            held.close()
            raise Unavailable(f"another process serves the {queue} of this database") from error
        return held.close

    def check_disk(self) -> None:
        """Raise Unavailable where the disk of a SQLite file is all but full."""
        if self._file is None:
            return
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

    def close(self) -> None:
        """Let go of all connections; idempotent."""
        self.engine.dispose()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise Unavailable(f"database: {cause}") from error


def open_database(url: str) -> Database:
    """The database at a URL; the folder of a SQLite file is created where it is missing.

    Raises:
        InvalidConfiguration: not a URL, or of a kind that is not supported here.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidConfiguration(
            f"ROOTWARD_DATABASE_URL is no URL; allowed: {ALLOWED}"
        ) from error
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return Database(_postgresql_engine(parsed))
    raise InvalidConfiguration(
        f"ROOTWARD_DATABASE_URL has the scheme {parsed.drivername}; allowed: {ALLOWED}"
    )


def _postgresql_engine(url: URL) -> Engine:
    if importlib.util.find_spec("psycopg") is None:
        raise InvalidConfiguration(
            "ROOTWARD_DATABASE_URL names PostgreSQL, but its driver is not installed: "
            "pip install 'psycopg[binary]'"
        )
    return create_engine(
        url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=32
    )


def _sqlite(url: URL) -> Database:
    if url.database in (None, "", ":memory:"):
        raise InvalidConfiguration(
            "ROOTWARD_DATABASE_URL names no file, so nothing would survive a restart; "
            f"allowed: {ALLOWED}"
        )
    file = SqliteFile(Path(str(url.database)))
    engine = create_engine(url, max_overflow=64, creator=file.connect)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, file)


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says so
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("rootward_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
