"""The stream of events: a table that every process reads from where it stands."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.codec import from_json, to_json
from rootward.model.event import Event, Facts
from rootward.ports import DEFAULT_TENANT, Clock

_EVENT = tables.event.c


def in_order(database: Database, connection: Connection) -> None:
    """In a write, before `add`: events are committed in the order of their ids."""
    database.exclude(connection, "events")


def add(connection: Connection, tenant: str, event: Event) -> None:
    """Tell of something, once the transaction is through."""
    connection.execute(
        insert(tables.event).values(
            tenant=tenant,
            kind=event.kind,
            incident_id=event.incident_id,
            at_unix=event.at_unix,
            body=to_json(event, Event),
        )
    )


class SqlEvents:
    """What happened lately."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def tell(self, kind: str, incident_id: str, facts: Facts, tenant: str = DEFAULT_TENANT) -> None:
        """Tell of something that is stored elsewhere, or of progress."""
        event = Event(0, kind, incident_id, self._clock.now(), facts)

        def work(connection: Connection) -> None:
            in_order(self._database, connection)
            add(connection, tenant, event)

        self._database.write(work)

    def last_id(self, tenant: str = DEFAULT_TENANT) -> int:
        """The id of the newest event, 0 where there is none."""
        query = select(func.max(_EVENT.id)).where(_EVENT.tenant == tenant)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def after(
        self, last_id: int, tenant: str = DEFAULT_TENANT, *, limit: int = 200
    ) -> tuple[Event, ...]:
        """Events behind an id, in their order."""
        query = (
            select(_EVENT.id, _EVENT.body)
            .where(_EVENT.tenant == tenant, _EVENT.id > last_id)
            .order_by(_EVENT.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_event(row.id, row.body) for row in rows)

    def of_kind(
        self, kind: str, incident_id: str, tenant: str = DEFAULT_TENANT, *, limit: int = 20
    ) -> tuple[Event, ...]:
        """The newest events of a kind that concern an incident, in their order."""
        query = (
            select(_EVENT.id, _EVENT.body)
            .where(_EVENT.tenant == tenant, _EVENT.incident_id == incident_id, _EVENT.kind == kind)
            .order_by(_EVENT.id.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_event(row.id, row.body) for row in reversed(rows))

    def expire(self, before_unix: float) -> int:
        """Forget what happened before; returns how many went."""
        return self._database.write(
            lambda connection: (
                connection.execute(
                    delete(tables.event).where(_EVENT.at_unix < before_unix)
                ).rowcount
            )
        )


def _event(number: int, body: str) -> Event:
    told = from_json(body, Event)
    return Event(number, told.kind, told.incident_id, told.at_unix, told.facts)
