"""What processes counted: one row a process and tenant."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Column, Connection, Double, String, Table, Text, delete, select

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import put
from rootward.adapters.sql.tables import metadata
from rootward.codec import from_json, to_json
from rootward.model.tally import Tally
from rootward.ports import DEFAULT_TENANT

tally_table = Table(
    "tally",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("process", String(512), primary_key=True),
    Column("told_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
)
_TALLY = tally_table.c


class SqlTallyStore:
    """Tallies as JSON. A process writes its own rows alone, so no two write the same."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, tallies: Mapping[str, Tally]) -> None:
        """Store one process' tallies by tenant, all or none; each replaces the one before."""

        def work(connection: Connection) -> None:
            for tenant, one in tallies.items():
                key = {"tenant": tenant, "process": one.process}
                values = {"told_unix": one.told_unix, "body": to_json(one, Tally)}
                put(connection, tally_table, key, values)

        self._database.write(work)

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Tally, ...]:
        """The last tally of every process, by its name."""
        query = select(_TALLY.body).where(_TALLY.tenant == tenant).order_by(_TALLY.process)
        with self._database.reading() as connection:
            bodies = connection.scalars(query).all()
        return tuple(from_json(body, Tally) for body in bodies)

    def expire(self, before_unix: float) -> int:
        """Forget processes that last told of themselves before a time; returns how many went."""
        change = delete(tally_table).where(_TALLY.told_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)
