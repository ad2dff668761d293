"""What came of steps as rows: one for each incident, service, action and person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Column, Connection, Double, Index, String, Table, Text, select

from rootward.adapters.sql import events
from rootward.adapters.sql import incident_rows as rows
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.tables import metadata
from rootward.codec import from_json, to_json
from rootward.model.outcome import Told
from rootward.ports import DEFAULT_TENANT

outcome_table = Table(
    "outcome",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("incident_id", String(128), primary_key=True),
    Column("service", String(512), primary_key=True),
    Column("action", String(64), primary_key=True),
    Column("actor", String(256), primary_key=True),
    Column("told_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "tenant", "told_unix"),
)
_ROW = outcome_table.c
_IN_ORDER = (_ROW.told_unix, _ROW.incident_id, _ROW.service, _ROW.action, _ROW.actor)


class SqlOutcomeStore:
    """Words on steps, beside the incidents that they belong to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, told: Told, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person; raises NotFound."""
        self._database.write(lambda connection: self._write(connection, told, tenant))

    def settle(self, told: Told, at_unix: float, tenant: str = DEFAULT_TENANT) -> bool:
        """Say whether a step helped, unless the person has spoken since; whether it was done."""
        query = select(_ROW.body).where(
            *(_ROW[name] == value for name, value in _key(told, tenant).items())
        )

        def work(connection: Connection) -> bool:
            events.in_order(self._database, connection)
            body = connection.scalar(query)
            known = None if body is None else from_json(body, Told)
            if known is None or known.helped is not None or known.told_unix != told.told_unix:
                return False
            self._write(connection, told, tenant, at_unix)
            return True

        return self._database.write(work)

    def of(self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT) -> tuple[Told, ...]:
        """What was told of steps in these incidents, the earliest first."""
        query = (
            select(_ROW.body)
            .where(_ROW.tenant == tenant, _ROW.incident_id.in_(incident_ids))
            .order_by(*_IN_ORDER)
        )
        with self._database.reading() as connection:
            return tuple(from_json(body, Told) for body in connection.scalars(query))

    def newest(self, tenant: str = DEFAULT_TENANT, *, limit: int) -> tuple[Told, ...]:
        """What was told last in all incidents, the earliest first."""
        query = (
            select(_ROW.body)
            .where(_ROW.tenant == tenant)
            .order_by(*(column.desc() for column in _IN_ORDER))
            .limit(limit)
        )
        with self._database.reading() as connection:
            found = [from_json(body, Told) for body in connection.scalars(query)]
        return tuple(reversed(found))

    def _write(
        self, connection: Connection, told: Told, tenant: str, at_unix: float | None = None
    ) -> None:
        events.in_order(self._database, connection)
        known = rows.found(connection, tenant, told.incident_id)
        values = {"told_unix": told.told_unix, "body": to_json(told, Told)}
        rows.put(connection, outcome_table, _key(told, tenant), values)
        line = told.line if at_unix is None else replace(told.line, at_unix=at_unix)
        rows.note(connection, known, line)


def _key(told: Told, tenant: str) -> dict[str, str]:
    return {
        "tenant": tenant,
        "incident_id": told.incident_id,
        "service": told.service,
        "action": told.action,
        "actor": told.actor,
    }
