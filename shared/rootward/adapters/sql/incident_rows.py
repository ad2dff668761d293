"""Rows of incidents: the incident, what lists show of it, its services, its log, its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, or_, select, update

from rootward.adapters.sql import events, tables
from rootward.codec import from_json, to_json
from rootward.errors import NotFound
from rootward.model.event import Event, Facts
from rootward.model.handling import Activity
from rootward.model.incident import Diagnosis, Incident
from rootward.model.summary import Summary

INCIDENT = tables.incident.c
HEAD = tables.incident_head.c
_DIAGNOSIS = tables.diagnosis.c
_SERVICE = tables.incident_service.c
_ACTIVITY = tables.activity.c
LONGEST_SERVICE = 512


def names(incident_id: str) -> ColumnElement[bool]:
    """Whether a row is of this id, or of this number written `INC-7`."""
    number = incident_id.removeprefix("INC-")
    if number != incident_id and number.isdecimal() and len(number) < 10:
        return or_(INCIDENT.id == incident_id, INCIDENT.number == int(number))
    return INCIDENT.id == incident_id


def find(connection: Connection, tenant: str, incident_id: str) -> Incident | None:
    """The incident itself, merged or not."""
    query = select(INCIDENT.body).where(INCIDENT.tenant == tenant, names(incident_id))
    body = connection.scalar(query)
    return None if body is None else from_json(body, Incident)


def found(connection: Connection, tenant: str, incident_id: str) -> Incident:
    """The same; raises NotFound where there is none."""
    known = find(connection, tenant, incident_id)
    if known is None:
        raise NotFound(f"there is no incident {incident_id}")
    return known


def sought(service: str) -> str:
    """What a service is looked for by: as much of its name as the index takes."""
    return service[:LONGEST_SERVICE]


def write_new(connection: Connection, incident: Incident) -> Incident:
    """Number a new incident and store it."""
    highest = connection.scalar(
        select(func.max(INCIDENT.number)).where(INCIDENT.tenant == incident.tenant)
    )
    numbered = replace(incident, number=(highest or 0) + 1)
    connection.execute(insert(tables.incident).values(_row(numbered)))
    _set_services(connection, numbered)
    write_head(connection, numbered)
    return numbered


def rewrite(connection: Connection, incident: Incident) -> None:
    """Replace an incident that is there."""
    connection.execute(
        update(tables.incident)
        .where(INCIDENT.tenant == incident.tenant, INCIDENT.id == incident.id)
        .values(_row(incident))
    )
    _set_services(connection, incident)
    write_head(connection, incident)


def write_head(connection: Connection, incident: Incident) -> None:
    """Store what lists show of an incident, as it and its diagnosis are now."""
    here = (_DIAGNOSIS.tenant == incident.tenant, _DIAGNOSIS.incident_id == incident.id)
    row = connection.execute(select(_DIAGNOSIS.body, _DIAGNOSIS.failure).where(*here)).first()
    diagnosis = None if row is None or row.body is None else from_json(row.body, Diagnosis)
    summary = Summary.of(incident, diagnosis, None if row is None else row.failure)
    handling = incident.handling
    values: dict[str, object] = {
        "number": incident.number,
        "opened_unix": incident.opened_unix,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "assignee": handling.assignee,
        "acknowledged": handling.acknowledged_unix is not None,
        "merged_into": handling.merged_into,
        "searched": summary.text,
        "body": to_json(summary, Summary),
    }
    key = {"tenant": incident.tenant, "incident_id": incident.id}
    put(connection, tables.incident_head, key, values)


def note(connection: Connection, incident: Incident, line: Activity) -> Activity:
    """Add a line to the log of an incident, and tell of it; the line as it stands there."""
    added = connection.execute(
        insert(tables.activity).values(
            tenant=incident.tenant,
            incident_id=incident.id,
            at_unix=line.at_unix,
            actor=line.actor,
            action=line.action,
            body=to_json(line, Activity),
        )
    )
    version = incident.handling.version
    facts: Facts = {"action": line.action, "actor": line.actor, "version": version}
    events.add(connection, incident.tenant, Event(0, "incident", incident.id, line.at_unix, facts))
    (number,) = added.inserted_primary_key or (0,)
    return replace(line, id=number)


def put(
    connection: Connection, table: Table, key: Mapping[str, str], values: Mapping[str, object]
) -> None:
    """Replace the row of a key, or add it."""
    here = [table.c[name] == value for name, value in key.items()]
    if connection.execute(update(table).where(*here).values(values)).rowcount == 0:
        connection.execute(insert(table).values({**key, **values}))


def _row(incident: Incident) -> dict[str, object]:
    return {
        "tenant": incident.tenant,
        "id": incident.id,
        "number": incident.number,
        "status": incident.status.value,
        "opened_unix": incident.opened_unix,
        "body": to_json(incident, Incident),
    }


def _set_services(connection: Connection, incident: Incident) -> None:
    here = (_SERVICE.tenant == incident.tenant, _SERVICE.incident_id == incident.id)
    connection.execute(delete(tables.incident_service).where(*here))
    services = {sought(name) for name in (*incident.services, incident.symptom.service)}
    connection.execute(
        insert(tables.incident_service),
        [
            {"tenant": incident.tenant, "service": name, "incident_id": incident.id}
            for name in sorted(services)
        ],
    )
