"""Analyses and the catalogue of methods: SQLite and PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import put
from rootward.codec import from_json, to_json
from rootward.model.result import Analysis, MethodEntry
from rootward.ports import DEFAULT_TENANT


class SqlResultStore:
    """Analyses and the catalogue, as JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, analysis: Analysis, tenant: str = DEFAULT_TENANT) -> None:
        """Store an analysis; one of the same incident, method and parameters is replaced."""
        key = {
            "tenant": tenant,
            "incident_id": analysis.incident_id,
            "method": analysis.method,
            "digest": hashlib.sha256(analysis.parameters.encode()).hexdigest(),
        }
        body = to_json(analysis, Analysis)
        self._database.write(
            lambda connection: put(connection, tables.analysis, key, {"body": body})
        )

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Analysis, ...]:
        """All analyses of an incident, by method name."""
        column = tables.analysis.c
        query = (
            select(column.body)
            .where(column.tenant == tenant, column.incident_id == incident_id)
            .order_by(column.method, column.digest)
        )
        with self._database.reading() as connection:
            return tuple(from_json(body, Analysis) for body in connection.scalars(query))

    def save_catalogue(self, entries: Sequence[MethodEntry]) -> None:
        """Replace the catalogue."""
        rows = [
            {"tenant": DEFAULT_TENANT, "name": e.name, "body": to_json(e, MethodEntry)}
            for e in entries
        ]

        def work(connection: Connection) -> None:
            connection.execute(delete(tables.method))
            if rows:
                connection.execute(insert(tables.method), rows)

        self._database.write(work)

    def catalogue(self) -> tuple[MethodEntry, ...]:
        """Every method that the workers can run, by name."""
        query = select(tables.method.c.body).order_by(tables.method.c.name)
        with self._database.reading() as connection:
            return tuple(from_json(body, MethodEntry) for body in connection.scalars(query))
