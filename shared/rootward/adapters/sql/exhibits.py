"""The rows that diagnoses looked at, one file an incident."""

from __future__ import annotations

from sqlalchemy import delete, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import put
from rootward.ports import DEFAULT_TENANT, Clock

_EXHIBIT = tables.exhibit.c


class SqlExhibits:
    """One row an incident."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def keep(self, incident_id: str, body: bytes, tenant: str = DEFAULT_TENANT) -> None:
        """Store what the diagnosis of an incident was asked; a later one replaces it."""
        key = {"tenant": tenant, "incident_id": incident_id}
        values = {"at_unix": self._clock.now(), "body": body}
        self._database.write(lambda connection: put(connection, tables.exhibit, key, values))

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> bytes | None:
        """What it was asked, None where that is not kept."""
        query = select(_EXHIBIT.body).where(
            _EXHIBIT.tenant == tenant, _EXHIBIT.incident_id == incident_id
        )
        with self._database.reading() as connection:
            return connection.scalar(query)

    def expire(self, before_unix: float) -> int:
        """Delete what was kept before a time; returns how many went."""
        change = delete(tables.exhibit).where(_EXHIBIT.at_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)
