"""Database: transactions that read and transactions that write, on whatever is behind a URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, Table, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from rootward.adapters.sql.dialects.base import Claim, Dialect
from rootward.adapters.sql.dialects.postgresql import Postgresql
from rootward.adapters.sql.dialects.sqlite import Sqlite
from rootward.errors import InvalidConfiguration, InvalidInput, Unavailable

T = TypeVar("T")

ALLOWED = "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
_TRIES = 5

_beside: ContextVar[Callable[[Connection], object] | None] = ContextVar("beside", default=None)


@contextmanager
def beside(note: Callable[[Connection], object] | None) -> Iterator[None]:
    """Write a note with every transaction of this task, so that both are there or neither."""
    token = _beside.set(note)
    try:
        yield
    finally:
        _beside.reset(token)


class Database:
    """An engine with two ways in; a database that fails to answer becomes `Unavailable`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""
        return self._dialect.engine

    @property
    def shared(self) -> bool:
        """Whether other processes put into the queues and take from them, too."""
        return self._dialect.shared

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction whose statements all see the same state.

        Raises:
            Unavailable: the database does not answer.
        """
        with _unavailable(), self.engine.connect() as connection:
            self._dialect.snapshot(connection)
            with connection.begin():
                yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once all that it wrote is durable; it may be called again.

        It is called again, on a clean transaction, where another process got in the way, such as
        one that wrote the same key first.

        Raises:
            InvalidInput: a value that the database does not take, such as NUL in a text.
            Unavailable: the database does not answer, is locked, its disk is full or its file
                is gone; nothing was written, unless it went while it confirmed the commit.
        """
        with _unavailable():
            for left in reversed(range(_TRIES)):
                try:
                    return self._write_once(work)
                except DBAPIError as error:
                    if not left or not self._dialect.may_pass_next_time(error):
                        raise
        raise AssertionError("the last try returns or raises")

    def _write_once(self, work: Callable[[Connection], T]) -> T:
        with self._dialect.turn():
            self._dialect.require()
            with self.engine.connect() as connection:
                connection = connection.execution_options(rootward_writes=True)
                with connection.begin():
                    done = work(connection)
                    if (note := _beside.get()) is not None:
                        note(connection)
                    self._dialect.require()  # before the commit: what is refused is not kept
                    return done

    def exclude(self, connection: Connection, what: str) -> None:
        """In a write: wait for all others that exclude by this word; they wait for its end."""
        self._dialect.exclude(connection, what)

    def insert_new(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """In a write: insert the rows whose unique columns are not there yet."""
        self._dialect.insert_new(connection, table, rows)

    def among(self, column: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
        """Whether a column holds one of many texts, which need not be few."""
        return self._dialect.among(column, texts)

    def claim(self, queue: str) -> Claim:
        """Be the one process that serves a queue, until it is let go of or the process ends.

        Raises:
            Unavailable: another process serves it, or the database does not answer.
        """
        with _unavailable():
            return self._dialect.claim(queue)

    def check_disk(self) -> None:
        """Raise Unavailable where it is known that nothing more fits on the disk."""
        self._dialect.check_disk()

    def close(self) -> None:
        """Let go of all connections; idempotent."""
        self.engine.dispose()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # the work is wrong, not the database
    except DataError as error:
        raise InvalidInput(f"the database does not take a value: {error.orig}") from error
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
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return Database(Postgresql(parsed))
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise InvalidConfiguration(
            f"ROOTWARD_DATABASE_URL has the scheme {parsed.drivername}; allowed: {ALLOWED}"
        )
    if parsed.database in (None, "", ":memory:"):
        raise InvalidConfiguration(
            "ROOTWARD_DATABASE_URL names no file, so nothing would survive a restart; "
            f"allowed: {ALLOWED}"
        )
    return Database(Sqlite(parsed))
