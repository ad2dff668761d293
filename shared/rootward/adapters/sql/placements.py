"""What runs where in a cluster: one row a namespace."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import put
from rootward.codec import from_json, to_json
from rootward.model.placement import Placement
from rootward.ports import DEFAULT_TENANT

_PLACEMENT = tables.placement.c


class SqlPlacementStore:
    """Placements as JSON."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, placements: Sequence[Placement], tenant: str = DEFAULT_TENANT) -> None:
        """Store what runs in these namespaces, all or none; a later word replaces an earlier."""

        def work(connection: Connection) -> None:
            self._database.exclude(connection, "placements")
            for one in placements:
                _put(connection, one, tenant)

        self._database.write(work)

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Placement, ...]:
        """What runs in every namespace, by its name."""
        query = select(_PLACEMENT.body).where(_PLACEMENT.tenant == tenant)
        with self._database.reading() as connection:
            bodies = connection.scalars(query.order_by(_PLACEMENT.namespace)).all()
        return tuple(from_json(body, Placement) for body in bodies)

    def expire(self, before_unix: float) -> int:
        """Forget namespaces that were last spoken of before a time; returns how many went."""
        change = delete(tables.placement).where(_PLACEMENT.at_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)


def _put(connection: Connection, one: Placement, tenant: str) -> None:
    here = (_PLACEMENT.tenant == tenant, _PLACEMENT.namespace == one.namespace)
    known = connection.scalar(select(_PLACEMENT.at_unix).where(*here))
    if known is None or known <= one.at_unix:
        key = {"tenant": tenant, "namespace": one.namespace}
        put(
            connection,
            tables.placement,
            key,
            {"at_unix": one.at_unix, "body": to_json(one, Placement)},
        )
