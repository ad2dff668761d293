"""Answers by key, so that a request that is sent twice is done once."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy import Connection, delete, insert, select, update

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, beside
from rootward.codec import from_json, to_json
from rootward.errors import Conflict, InvalidParameters
from rootward.model.reply import Reply
from rootward.ports import DEFAULT_TENANT, Clock

_REPLY = tables.reply.c
LOST_SECONDS = 60.0
"""A request that has not ended by then never will: its process is gone."""
_ACTED = ""
"""In place of an answer: something was written, the answer is not there (yet)."""


class SqlReplies:
    """One row for each key."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, key: str, request: str, tenant: str = DEFAULT_TENANT) -> Reply | None:
        """Take a key for a request; the answer it had, None if it is new.

        Raises:
            InvalidParameters: the key was used for another request.
            Conflict: the same request is at work.
        """
        now = self._clock.now()
        here = (_REPLY.tenant == tenant, _REPLY.key == key)

        def work(connection: Connection) -> Reply | None:
            row = connection.execute(
                select(_REPLY.request, _REPLY.at_unix, _REPLY.body).where(*here).with_for_update()
            ).first()
            if row is None:
                connection.execute(
                    insert(tables.reply).values(
                        tenant=tenant, key=key, request=request, at_unix=now
                    )
                )
                return None
            if row.request != request:
                raise InvalidParameters(f"the key {key!r} was used for another request")
            if row.body:
                return from_json(row.body, Reply)
            if now - row.at_unix < LOST_SECONDS:
                raise Conflict(f"a request with the key {key!r} is at work")
            if row.body == _ACTED:
                raise Conflict(
                    f"the request with the key {key!r} was done, but its answer was lost; "
                    "read what it was about"
                )
            connection.execute(update(tables.reply).where(*here).values(at_unix=now))
            return None

        return self._database.write(work)

    def marked(self, key: str, tenant: str = DEFAULT_TENANT) -> AbstractContextManager[None]:
        """Whatever is written meanwhile says in the same transaction that the request acted."""
        here = (_REPLY.tenant == tenant, _REPLY.key == key, _REPLY.body.is_(None))
        mark = update(tables.reply).where(*here).values(body=_ACTED)
        return beside(lambda connection: connection.execute(mark))

    def end(self, key: str, reply: Reply | None, tenant: str = DEFAULT_TENANT) -> None:
        """Keep the answer of a request; without one the key is free again."""
        here = (_REPLY.tenant == tenant, _REPLY.key == key)
        change = (
            delete(tables.reply).where(*here)
            if reply is None
            else update(tables.reply).where(*here).values(body=to_json(reply, Reply))
        )
        self._database.write(lambda connection: connection.execute(change))

    def expire(self, before_unix: float) -> int:
        """Forget what was asked before; returns how many went."""
        change = delete(tables.reply).where(_REPLY.at_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)
