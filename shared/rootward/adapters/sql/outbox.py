"""What is to be told to others: rows that are written with the change that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from rootward.adapters.sql import events, tables
from rootward.adapters.sql import incident_rows as rows
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.engine import Database
from rootward.codec import from_json, to_json
from rootward.model.handling import Activity
from rootward.model.incident import Incident
from rootward.model.notification import Notification, Target

_OUTBOX = tables.outbox.c
_AT_ONCE = 500
PENDING, SENT, DEAD = "pending", "sent", "dead"


@dataclass(frozen=True)
class Letter:
    """A row that waits."""

    id: int
    tenant: str
    target: str
    due_unix: float
    tries: int
    told: Notification


@dataclass(frozen=True)
class Post:
    """Whom to tell, and where people see incidents."""

    targets: tuple[Target, ...] = ()
    public_url: str = ""

    def write(self, connection: Connection, incident: Incident, line: Activity) -> None:
        """Write a letter to each who wants to know of a line of the log."""
        wanting = [one for one in self.targets if one.wants(incident, line)]
        if not wanting:
            return
        key = f"{incident.id}-{line.id}"
        told = Notification.of(key, incident, line, self.public_url)
        connection.execute(
            insert(tables.outbox),
            [
                {
                    "tenant": incident.tenant,
                    "target": one.name,
                    "key": key,
                    "due_unix": line.at_unix,
                    "tries": 0,
                    "state": PENDING,
                    "body": to_json(told, Notification),
                }
                for one in wanting
            ],
        )


class SqlOutbox:
    """The letters that wait, and what became of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self) -> Claim:
        """Be the one process that sends; raises Unavailable where another one is."""
        return self._database.claim("outbox")

    def waiting(self, target: str) -> tuple[Letter, ...]:
        """Letters to a receiver in the order in which they were written."""
        query = (
            select(tables.outbox)
            .where(_OUTBOX.target == target, _OUTBOX.state == PENDING)
            .order_by(_OUTBOX.id)
            .limit(_AT_ONCE)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        return tuple(
            Letter(
                row.id,
                row.tenant,
                row.target,
                row.due_unix,
                row.tries,
                from_json(row.body, Notification),
            )
            for row in found
        )

    def delay(self, letter: Letter, due_unix: float) -> None:
        """Try again at a time."""
        change = (
            update(tables.outbox)
            .where(_OUTBOX.id == letter.id)
            .values(due_unix=due_unix, tries=letter.tries + 1)
        )
        self._database.write(lambda connection: connection.execute(change))

    def end(self, letter: Letter, reason: str, now: float) -> None:
        """It was sent, or with a reason it never will be; the log of the incident says so."""
        action = "notification_failed" if reason else "notified"
        text = f"{letter.target}: {reason}" if reason else letter.target

        def work(connection: Connection) -> None:
            events.in_order(self._database, connection)
            state = DEAD if reason else SENT
            connection.execute(
                update(tables.outbox).where(_OUTBOX.id == letter.id).values(state=state)
            )
            known = rows.find(connection, letter.tenant, letter.told.incident_id)
            if known is not None:
                rows.note(connection, known, Activity(known.id, now, "", action, text))

        self._database.write(work)

    def expire(self, targets: Sequence[str], before_unix: float) -> int:
        """Forget what ended, and what is to receivers that are no more; returns how many went."""
        over = delete(tables.outbox).where(
            (_OUTBOX.due_unix < before_unix)
            & ((_OUTBOX.state != PENDING) | _OUTBOX.target.not_in(targets))
        )
        return self._database.write(lambda connection: connection.execute(over).rowcount)
