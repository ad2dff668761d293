"""Versions of causal graphs as rows, each with its body as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    false,
    func,
    select,
    update,
)

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import sought
from rootward.adapters.sql.paging import check, rows_of_page
from rootward.adapters.sql.tables import counted, metadata
from rootward.codec import from_json, to_json
from rootward.errors import NotFound
from rootward.model.graph_version import GraphVersion
from rootward.ports import DEFAULT_TENANT, GraphVersionPage

graph_version_table = Table(
    "graph_version",
    metadata,
    counted(),
    Column("tenant", String(128), nullable=False),
    Column("service", String(512), nullable=False),
    Column("number", Integer, nullable=False),
    Column("created_unix", Double, nullable=False),
    Column("quiet_from_unix", Double, nullable=False),
    Column("held_until_unix", Double, nullable=False),
    Column("noticed", Boolean, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "service", "number"),
    Index(None, "tenant", "noticed", "id"),
    sqlite_autoincrement=True,
)
_ROW = graph_version_table.c
_SHOWN = (_ROW.id, _ROW.body, _ROW.quiet_from_unix, _ROW.held_until_unix)
_Read = Select[int, str, float, float]


class SqlGraphStore:
    """One row a version; what may change of it stands in columns, and the body stays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, version: GraphVersion) -> bool:
        """Store a version durably; False where its number is taken, and then that one stays."""

        def work(connection: Connection) -> bool:
            self._database.exclude(connection, "graphs")
            if connection.scalar(select(_ROW.id).where(*_at(version))) is not None:
                return False
            connection.execute(graph_version_table.insert().values(**_values(version)))
            return True

        return self._database.write(work)

    def confirm(
        self, version: GraphVersion, quiet_from_unix: float, held_until_unix: float
    ) -> None:
        """Note that a version was seen to hold; an earlier time than is known changes nothing."""
        change = (
            update(graph_version_table)
            .where(*_at(version), _ROW.held_until_unix < held_until_unix)
            .values(quiet_from_unix=quiet_from_unix, held_until_unix=held_until_unix)
        )
        self._database.write(lambda connection: connection.execute(change))

    def use(self, version: GraphVersion) -> None:
        """Note that an incident names this version, so that it is kept."""
        change = update(graph_version_table).where(*_at(version)).values(used=True)
        self._database.write(lambda connection: connection.execute(change))

    def current(self, group: str, tenant: str = DEFAULT_TENANT) -> GraphVersion | None:
        """The newest version of a service, None where there is none."""
        return next(iter(self._read(_of(group, tenant).limit(1))), None)

    def in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> GraphVersion | None:
        """The newest version that was written by a time, None where there was none."""
        query = _of(group, tenant).where(_ROW.created_unix <= at_unix).limit(1)
        return next(iter(self._read(query)), None)

    def number_in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> int | None:
        """The number of that version alone, without reading its graph."""
        query = _of(group, tenant).where(_ROW.created_unix <= at_unix).limit(1)
        with self._database.reading() as connection:
            return connection.scalar(query.with_only_columns(_ROW.number))

    def get(self, group: str, number: int, tenant: str = DEFAULT_TENANT) -> GraphVersion:
        """One version; raises NotFound where there is none, or it is kept no more."""
        found = self._read(_of(group, tenant).where(_ROW.number == number))
        if not found:
            raise NotFound(f"version {number} of the graph of {group} is not kept")
        return found[0]

    def history(self, group: str, tenant: str = DEFAULT_TENANT) -> tuple[GraphVersion, ...]:
        """Every version of a service that is kept, the newest first."""
        return self._read(_of(group, tenant))

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """The current version of each service, by its name; a cursor is the last name shown."""
        check(limit)
        newest = (
            select(_ROW.service, func.max(_ROW.number).label("number"))
            .where(_ROW.tenant == tenant, *([] if cursor is None else [_ROW.service > cursor]))
            .group_by(_ROW.service)
            .order_by(_ROW.service)
            .limit(limit + 1)
            .subquery()
        )
        here = (_ROW.service == newest.c.service) & (_ROW.number == newest.c.number)
        query = select(*_SHOWN).join(newest, here).where(_ROW.tenant == tenant)
        found = self._read(query.order_by(_ROW.service))
        more = sought(found[limit - 1].group) if len(found) > limit else None
        return GraphVersionPage(found[:limit], more)

    def noticed(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """Versions with notices, the newest first; raises InvalidInput for a strange cursor."""
        wanted = (_ROW.tenant == tenant, _ROW.noticed)
        with self._database.reading() as connection:
            rows, more = rows_of_page(connection, select(*_SHOWN), wanted, limit, cursor)
        return GraphVersionPage(tuple(_version(row[1], row[2], row[3]) for row in rows), more)

    def expire(self, keep: int) -> int:
        """Delete all but the newest so many of each service and those that incidents name."""
        place = func.row_number().over(
            partition_by=(_ROW.tenant, _ROW.service), order_by=_ROW.number.desc()
        )
        placed = select(_ROW.id, _ROW.used, place.label("place")).subquery()
        old = select(placed.c.id).where(placed.c.place > keep, placed.c.used == false())
        change = delete(graph_version_table).where(_ROW.id.in_(old))
        return self._database.write(lambda connection: connection.execute(change).rowcount)

    def _read(self, query: _Read) -> tuple[GraphVersion, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(_version(row[1], row[2], row[3]) for row in rows)


def _at(version: GraphVersion) -> Sequence[ColumnElement[bool]]:
    return (
        _ROW.tenant == version.tenant,
        _ROW.service == sought(version.group),
        _ROW.number == version.number,
    )


def _of(group: str, tenant: str) -> _Read:
    wanted = (_ROW.tenant == tenant, _ROW.service == sought(group))
    return select(*_SHOWN).where(*wanted).order_by(_ROW.number.desc())


def _values(version: GraphVersion) -> dict[str, object]:
    return {
        "tenant": version.tenant,
        "service": sought(version.group),
        "number": version.number,
        "created_unix": version.created_unix,
        "quiet_from_unix": version.quiet_from_unix,
        "held_until_unix": version.held_until_unix,
        "noticed": bool(version.notices),
        "used": False,
        "body": to_json(version, GraphVersion),
    }


def _version(body: str, quiet_from_unix: float, held_until_unix: float) -> GraphVersion:
    known = from_json(body, GraphVersion)
    return replace(known, quiet_from_unix=quiet_from_unix, held_until_unix=held_until_unix)
