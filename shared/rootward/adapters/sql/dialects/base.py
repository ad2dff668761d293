"""What the stores ask of a kind of database beyond SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, runtime_checkable

from sqlalchemy import ColumnElement, Connection, Engine, Table
from sqlalchemy.exc import DBAPIError

LOCK_SECONDS = 10.0
"""How long a write waits for another one before the database counts as unavailable."""


@runtime_checkable
class Claim(Protocol):
    """What makes a process the one that serves a queue; it ends with the process."""

    def holds(self) -> bool:
        """Whether it still does."""
        ...

    def let_go(self) -> None:
        """Let another process serve; idempotent."""
        ...


@runtime_checkable
class Dialect(Protocol):
    """A database of one kind, opened."""

    engine: Engine
    shared: bool
    """Whether other processes put into the queues and take from them, too."""

    def snapshot(self, connection: Connection) -> None:
        """Let all statements of the transaction that begins next see the same state."""
        ...

    def turn(self) -> AbstractContextManager[None]:
        """The turn to write, where only one may; raises Unavailable where it does not come."""
        ...

    def require(self) -> None:
        """Raise Unavailable where what would be written is lost."""
        ...

    def check_disk(self) -> None:
        """Raise Unavailable where it is known that nothing more fits."""
        ...

    def may_pass_next_time(self, error: DBAPIError) -> bool:
        """Whether only another transaction was in the way."""
        ...

    def exclude(self, connection: Connection, what: str) -> None:
        """Wait for all others that exclude by this word; they wait for this transaction."""
        ...

    def claim(self, queue: str) -> Claim:
        """Be the one process that serves a queue; raises Unavailable where another one is."""
        ...

    def insert_new(
        self, connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]
    ) -> None:
        """Insert the rows whose unique columns are not there yet; leave those that are."""
        ...

    def among(self, column: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
        """Whether a column holds one of many texts; they travel as one parameter."""
        ...
