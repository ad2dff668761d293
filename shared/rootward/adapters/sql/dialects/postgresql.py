"""PostgreSQL: many processes at once, told apart by its own locks."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import (
    ARRAY,
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    String,
    Table,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from rootward.adapters.sql.dialects.base import LOCK_SECONDS, Claim
from rootward.errors import InvalidConfiguration, Unavailable

_CONNECTING = {
    "application_name": "rootward",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds; a server that is cut off is noticed
}
_SESSION = (
    f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}",
    "SET idle_in_transaction_session_timeout = 60000",
)
_COPY_FROM = 200
"""From so many rows on COPY takes less time than inserts do, its table included."""
_IN_THE_WAY = frozenset({"40001", "40P01"})
"""serialization_failure, deadlock_detected"""


class Postgresql:
    """PostgreSQL by psycopg 3; what two processes must not do at once is under advisory locks.

    A pool that hands out server connections by the transaction (PgBouncer's `transaction` mode)
    does not do: a claim is a lock of a session.
    """

    shared = True

    def __init__(self, url: URL) -> None:
        if importlib.util.find_spec("psycopg") is None:
            raise InvalidConfiguration(
                "ROOTWARD_DATABASE_URL names PostgreSQL, but its driver is not installed: "
                "pip install 'psycopg[binary]'"
            )
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            max_overflow=32,
            connect_args={k: v for k, v in _CONNECTING.items() if k not in url.query},
        )
        event.listen(self.engine, "connect", _prepare)

    def snapshot(self, connection: Connection) -> None:
        """Repeatable read."""
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def turn(self) -> AbstractContextManager[None]:
        """Nothing to wait for: writers wait for the rows and locks that they share."""
        return nullcontext()

    def require(self) -> None:
        """Nothing to see from here: the server refuses what it cannot keep."""

    def check_disk(self) -> None:
        """Nothing to see from here: the server refuses what does not fit."""

    def may_pass_next_time(self, error: DBAPIError) -> bool:
        """Whether a unique key, a deadlock or a concurrent change was in the way."""
        state = getattr(error.orig, "sqlstate", None)
        return isinstance(error, IntegrityError) or state in _IN_THE_WAY

    def exclude(self, connection: Connection, what: str) -> None:
        """Take the advisory lock of a word until the transaction ends."""
        connection.execute(select(func.pg_advisory_xact_lock(_key(what))))

    def claim(self, queue: str) -> Claim:
        """Take the advisory lock of a queue on a connection of its own."""
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # it is not one of the pool: it may stay out for good
        if not connection.scalar(select(func.pg_try_advisory_lock(_key(f"serve {queue}")))):
            connection.close()
            raise Unavailable(f"another process serves the {queue} of this database")
        return _SessionClaim(connection)

    def among(self, column: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
        """Whether a column holds one of many texts."""
        return column == any_(literal([*texts], ARRAY(String)))

    def insert_new(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert the rows whose unique columns are not there yet; many of them by COPY."""
        if len(rows) < _COPY_FROM:
            connection.execute(insert(table).on_conflict_do_nothing(), rows)
            return
        names = list(rows[0])
        quoted = ", ".join(f'"{name}"' for name in names)
        copied = f"new_{table.name}"
        empty = f'SELECT {quoted} FROM "{table.name}" LIMIT 0'
        connection.execute(text(f"CREATE TEMP TABLE {copied} ON COMMIT DROP AS {empty}"))
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {copied} FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
        new = text(f"SELECT {quoted} FROM {copied}").columns(*(table.c[name] for name in names))
        connection.execute(insert(table).from_select(names, new).on_conflict_do_nothing())


class _SessionClaim:
    """An advisory lock of a connection, which goes with it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def holds(self) -> bool:
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def let_go(self) -> None:
        self._connection.close()


def _key(what: str) -> Any:
    """A lock's number: 64 bits of the word's hash; locks are of one database."""
    digest = hashlib.sha256(f"rootward {what}".encode()).digest()
    return literal(int.from_bytes(digest[:8], signed=True), BigInteger)


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    with connection.cursor() as cursor:
        for statement in _SESSION:
            cursor.execute(statement)
    connection.commit()
