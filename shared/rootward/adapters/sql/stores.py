"""Incidents, diagnoses, analyses and the catalogue of methods: SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.codec import from_json, to_json
from rootward.errors import InvalidInput, NotFound
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.result import Analysis, MethodEntry
from rootward.ports import DEFAULT_TENANT, IncidentPage

_INCIDENT = tables.incident.c
_DIAGNOSIS = tables.diagnosis.c
_SERVICE = tables.incident_service.c


class SqlIncidentStore:
    """Incidents as JSON, with the columns that are searched by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, incident: Incident) -> Incident:
        """Store a new incident and number it; one with this id that is there already stays."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, incident.tenant)
            known = _find(connection, incident.tenant, _INCIDENT.id == incident.id)
            return known or _insert(connection, incident)

        return self._database.write(work)

    def update(self, incident: Incident) -> None:
        """Replace an incident that is there; it keeps its number.

        Raises:
            NotFound: there is none with this id.
        """
        self.revise(incident.id, lambda _: incident, incident.tenant)

    def open_or_join(
        self,
        choose: Callable[[tuple[Incident, ...]], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Store what `choose` makes of the open incidents: one of them, changed, or a new one."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, tenant)
            chosen = choose(_current(connection, tenant))
            known = _find(connection, tenant, _INCIDENT.id == chosen.id)
            if known is None:
                return _insert(connection, chosen)
            return _replace(connection, known, chosen)

        return self._database.write(work)

    def revise(
        self,
        incident_id: str,
        change: Callable[[Incident], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Replace an incident by what `change` makes of it as it is now; raises NotFound."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, tenant)
            known = _found(connection, tenant, incident_id)
            return _replace(connection, known, change(known))

        return self._database.write(work)

    def _alone(self, connection: Connection, tenant: str) -> None:
        """Let nobody else open or change incidents of the tenant until the commit."""
        self._database.exclude(connection, f"incidents of {tenant}")

    def current(self, tenant: str = DEFAULT_TENANT) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        with self._database.reading() as connection:
            return _current(connection, tenant)

    def get(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Incident:
        """One incident by its id, or by its number written `INC-7`.

        Raises:
            NotFound: there is none.
        """
        with self._database.reading() as connection:
            return _found(connection, tenant, incident_id)

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: Status | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> IncidentPage:
        """Incidents, newest first, page by page.

        Raises:
            InvalidInput: the cursor is not one of ours, or the limit is below 1.
        """
        if limit < 1:
            raise InvalidInput(f"a page holds at least one incident, not {limit}")
        wanted = [_INCIDENT.tenant == tenant]
        if status is not None:
            wanted.append(_INCIDENT.status == status.value)
        if service is not None:
            touched = select(_SERVICE.incident_id).where(
                _SERVICE.tenant == tenant, _SERVICE.service == service
            )
            wanted.append(_INCIDENT.id.in_(touched))
        if cursor is not None:
            wanted.append(_behind(cursor))
        query = (
            select(_INCIDENT.body)
            .where(*wanted)
            .order_by(_INCIDENT.opened_unix.desc(), _INCIDENT.number.desc())
            .limit(limit + 1)
        )
        with self._database.reading() as connection:
            found = _incidents(connection.scalars(query))
        more = len(found) > limit
        return IncidentPage(found[:limit], _cursor(found[limit - 1]) if more else None)

    def save(self, incident_id: str, diagnosis: Diagnosis, tenant: str = DEFAULT_TENANT) -> None:
        """Store the diagnosis of an incident; a later one replaces it, and a failure.

        Raises:
            NotFound: there is no such incident.
        """
        body = to_json(diagnosis, Diagnosis)
        self._set_diagnosis(incident_id, tenant, {"body": body, "failure": None})

    def fail(self, incident_id: str, reason: str, tenant: str = DEFAULT_TENANT) -> None:
        """Note that the diagnosis failed and why; a diagnosis that is there stays.

        Raises:
            NotFound: there is no such incident.
        """
        self._set_diagnosis(incident_id, tenant, {"failure": reason})

    def diagnosis(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Diagnosis | None:
        """The diagnosis of an incident, None while there is none."""
        body = self._read_diagnosis(_DIAGNOSIS.body, incident_id, tenant)
        return None if body is None else from_json(body, Diagnosis)

    def failure(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> str | None:
        """Why the last diagnosis failed, None if it did not."""
        return self._read_diagnosis(_DIAGNOSIS.failure, incident_id, tenant)

    def check(self) -> None:
        """Raise Unavailable with the reason unless the store answers."""
        with self._database.reading() as connection:
            connection.execute(select(_INCIDENT.id).limit(1)).all()

    def _set_diagnosis(self, incident_id: str, tenant: str, values: dict[str, str | None]) -> None:
        def work(connection: Connection) -> None:
            key = {"tenant": tenant, "incident_id": _found(connection, tenant, incident_id).id}
            _put(connection, tables.diagnosis, key, values)

        self._database.write(work)

    def _read_diagnosis(
        self, column: ColumnElement[str | None], incident_id: str, tenant: str
    ) -> str | None:
        with self._database.reading() as connection:
            known = _find(connection, tenant, _names(incident_id))
            if known is None:
                return None
            return connection.scalar(
                select(column).where(
                    _DIAGNOSIS.tenant == tenant, _DIAGNOSIS.incident_id == known.id
                )
            )


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
            lambda connection: _put(connection, tables.analysis, key, {"body": body})
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


def _put(
    connection: Connection, table: Table, key: dict[str, str], values: dict[str, str | None]
) -> None:
    here = [table.c[name] == value for name, value in key.items()]
    if connection.execute(update(table).where(*here).values(values)).rowcount == 0:
        connection.execute(insert(table).values(key | values))


def _row(incident: Incident) -> dict[str, object]:
    return {
        "tenant": incident.tenant,
        "id": incident.id,
        "number": incident.number,
        "status": incident.status.value,
        "opened_unix": incident.opened_unix,
        "body": to_json(incident, Incident),
    }


def _insert(connection: Connection, incident: Incident) -> Incident:
    highest = connection.scalar(
        select(func.max(_INCIDENT.number)).where(_INCIDENT.tenant == incident.tenant)
    )
    numbered = replace(incident, number=(highest or 0) + 1)
    connection.execute(insert(tables.incident).values(_row(numbered)))
    _set_services(connection, numbered)
    return numbered


def _replace(connection: Connection, known: Incident, changed: Incident) -> Incident:
    now = replace(changed, id=known.id, tenant=known.tenant, number=known.number)
    if now != known:
        connection.execute(
            update(tables.incident)
            .where(_INCIDENT.tenant == known.tenant, _INCIDENT.id == known.id)
            .values(_row(now))
        )
        _set_services(connection, now)
    return now


def _current(connection: Connection, tenant: str) -> tuple[Incident, ...]:
    query = (
        select(_INCIDENT.body)
        .where(_INCIDENT.tenant == tenant, _INCIDENT.status == Status.OPEN.value)
        .order_by(_INCIDENT.opened_unix, _INCIDENT.number)
    )
    return _incidents(connection.scalars(query))


def _set_services(connection: Connection, incident: Incident) -> None:
    connection.execute(
        delete(tables.incident_service).where(
            _SERVICE.tenant == incident.tenant, _SERVICE.incident_id == incident.id
        )
    )
    services = {*incident.services, incident.symptom.service}
    connection.execute(
        insert(tables.incident_service),
        [
            {"tenant": incident.tenant, "service": name, "incident_id": incident.id}
            for name in sorted(services)
        ],
    )


def _names(incident_id: str) -> ColumnElement[bool]:
    number = incident_id.removeprefix("INC-")
    if number != incident_id and number.isdecimal() and len(number) < 10:
        return or_(_INCIDENT.id == incident_id, _INCIDENT.number == int(number))
    return _INCIDENT.id == incident_id


def _find(connection: Connection, tenant: str, wanted: ColumnElement[bool]) -> Incident | None:
    body = connection.scalar(select(_INCIDENT.body).where(_INCIDENT.tenant == tenant, wanted))
    return None if body is None else from_json(body, Incident)


def _found(connection: Connection, tenant: str, incident_id: str) -> Incident:
    known = _find(connection, tenant, _names(incident_id))
    if known is None:
        raise NotFound(f"there is no incident {incident_id}")
    return known


def _incidents(bodies: Iterable[str]) -> tuple[Incident, ...]:
    return tuple(from_json(body, Incident) for body in bodies)


def _cursor(last: Incident) -> str:
    plain = json.dumps([last.opened_unix, last.number], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _behind(cursor: str) -> ColumnElement[bool]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        opened, number = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        opened, number = float(opened), int(number)
    except (ValueError, TypeError) as error:
        raise InvalidInput("the cursor is not one of ours; start again without one") from error
    return or_(
        _INCIDENT.opened_unix < opened,
        and_(_INCIDENT.opened_unix == opened, _INCIDENT.number < number),
    )
