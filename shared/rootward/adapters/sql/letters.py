"""The dead letters of the database, and how they are tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack

from sqlalchemy import Connection, delete, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.queues import dead_letters
from rootward.errors import InvalidInput
from rootward.ports import DeadLetter

log = logging.getLogger(__name__)

_LETTER = tables.dead_letter.c


class SqlDeadLetters:
    """Batches of the embedded bus, jobs, and bodies that could not be taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[DeadLetter, ...]:
        """Every letter that waits, oldest first."""
        return dead_letters(self._database)

    def replay(self, again: Callable[[DeadLetter], None]) -> int:
        """Hand over each letter, oldest first, and forget those that are taken.

        Raises:
            Unavailable: the database does not answer, or it is one that a single process serves,
                which would not see what another one adds to its queues: stop that one first.
        """
        with ExitStack() as claims:
            for queue in () if self._database.shared else ("bus", "jobs"):
                claims.callback(self._database.claim(queue).let_go)
            return sum(self._taken(letter_id, again) for letter_id in self._ids())

    def _ids(self) -> list[int]:
        with self._database.reading() as connection:
            return list(connection.scalars(select(_LETTER.id).order_by(_LETTER.id)))

    def _taken(self, letter_id: int, again: Callable[[DeadLetter], None]) -> bool:
        columns = (_LETTER[one] for one in DeadLetter.__dataclass_fields__)
        with self._database.reading() as connection:
            row = connection.execute(select(*columns).where(_LETTER.id == letter_id)).one_or_none()
        if row is None:
            return False
        try:
            again(DeadLetter(*row))
        except InvalidInput as error:
            log.warning("letter stays", extra={"letter": letter_id, "reason": str(error)})
            return False

        def work(connection: Connection) -> None:
            connection.execute(delete(tables.dead_letter).where(_LETTER.id == letter_id))

        self._database.write(work)
        return True
