"""Bodies that could not be taken in, among the dead letters: once each, and within a bound."""

from __future__ import annotations

import hashlib

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from rootward.adapters.delivery import given_up
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import dead_letter
from rootward.ports import DEFAULT_TENANT, Clock

KIND = "body"


class SqlQuarantine:
    """The newest bodies by their SHA-256; the oldest go where there are too many or too large."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        max_bodies: int = 1000,
        max_bytes: int = 256 * 2**20,
    ) -> None:
        self._database = database
        self._clock = clock
        self._max_bodies = max_bodies
        self._max_bytes = max_bytes

    def keep(self, source: str, body: bytes, reason: str, tenant: str = DEFAULT_TENANT) -> int:
        """Store a body and why it failed; returns how often it has, this time included."""
        name = f"{source} {hashlib.sha256(body).hexdigest()}"
        same = and_(
            dead_letter.c.kind == KIND,
            dead_letter.c.tenant == tenant,
            dead_letter.c.name == name,
        )

        def work(connection: Connection) -> int:
            self._database.exclude(connection, "quarantine")
            known = connection.scalar(select(dead_letter.c.tries).where(same))
            times = (known or 0) + 1
            row = {"reason": reason, "tries": times, "dead_unix": self._clock.now()}
            if known is None:
                new = {"tenant": tenant, "kind": KIND, "name": name, "body": body}
                connection.execute(insert(dead_letter).values(**new, **row))
                self._make_room(connection)
            else:
                connection.execute(update(dead_letter).where(same).values(**row))
            return times

        times = self._database.write(work)
        if times == 1:
            given_up(KIND, tenant, name, reason)
        return times

    def _make_room(self, connection: Connection) -> None:
        """Delete what lies beyond the bounds, counted from the newest body; that one stays."""
        bodies: ColumnElement[bool] = dead_letter.c.kind == KIND
        sizes = select(dead_letter.c.id, func.length(dead_letter.c.body)).where(bodies)
        total = 0
        for place, (key, size) in enumerate(
            connection.execute(sizes.order_by(dead_letter.c.id.desc()))
        ):
            total += size
            if place and (place >= self._max_bodies or total > self._max_bytes):
                connection.execute(delete(dead_letter).where(bodies, dead_letter.c.id <= key))
                return
