"""Alerts and change events: JSON in rows, with the columns that are searched by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, insert, select, update

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.paging import page
from rootward.codec import from_json, to_json
from rootward.errors import NotFound
from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent
from rootward.ports import DEFAULT_TENANT, AlertPage, ChangeEventPage

_ALERT = tables.alert.c
_EVENT = tables.change_event.c
_HEAD = tables.incident_head.c
MOST_BETWEEN = 200


class SqlAlertStore:
    """Alerts, each firing once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
        """Store alerts durably, all or none; returns them as they are known now."""

        def work(connection: Connection) -> tuple[Alert, ...]:
            self._database.exclude(connection, "alerts")
            return tuple(_put_alert(connection, alert) for alert in alerts)

        return self._database.write(work)

    def get(self, key: str, tenant: str = DEFAULT_TENANT) -> Alert:
        """One alert by its key; raises NotFound where there is none."""
        with self._database.reading() as connection:
            return _alert(connection, key, tenant)

    def link(self, key: str, incident_id: str, *, opened: bool, tenant: str) -> None:
        """Note the incident of an alert; the first one stays. Raises NotFound."""

        def work(connection: Connection) -> None:
            self._database.exclude(connection, "alerts")
            known = _alert(connection, key, tenant)
            if not known.incident_id:
                _write_alert(connection, replace(known, incident_id=incident_id, opened=opened))

        self._database.write(work)

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Alert, ...]:
        """The alerts of an incident and of those merged into it, the earliest start first."""
        absorbed = select(_HEAD.incident_id).where(
            _HEAD.tenant == tenant, _HEAD.merged_into == incident_id
        )
        with self._database.reading() as connection:
            ids = [incident_id, *connection.scalars(absorbed)]
            wanted = (_ALERT.tenant == tenant, _ALERT.incident_id.in_(ids))
            bodies = connection.scalars(select(_ALERT.body).where(*wanted)).all()
        alerts = (from_json(body, Alert) for body in bodies)
        return tuple(sorted(alerts, key=lambda a: (a.starts_unix, a.key)))

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: AlertStatus | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AlertPage:
        """Alerts, the last that came first; raises InvalidInput for a cursor that is not ours."""
        wanted = [_ALERT.tenant == tenant]
        if status is not None:
            wanted.append(_ALERT.status == status.value)
        if service is not None:
            wanted.append(_ALERT.service == service)
        with self._database.reading() as connection:
            bodies, more = page(connection, tables.alert, wanted, limit, cursor)
        return AlertPage(tuple(from_json(body, Alert) for body in bodies), more)

    def expire(self, before_unix: float) -> int:
        """Delete what was not spoken of since; returns how many went."""
        return self._database.write(
            lambda connection: (
                connection.execute(
                    delete(tables.alert).where(_ALERT.seen_unix < before_unix)
                ).rowcount
            )
        )


class SqlChangeEventStore:
    """Change events, each once by source and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, events: Sequence[ChangeEvent]) -> int:
        """Store events durably, all or none; returns how many were new."""

        def work(connection: Connection) -> int:
            return sum(_put_event(connection, event) for event in events)

        return self._database.write(work)

    def between(
        self, start_unix: float, end_unix: float, tenant: str = DEFAULT_TENANT
    ) -> tuple[ChangeEvent, ...]:
        """Events of start ≤ time ≤ end, the earliest first; of too many the latest."""
        query = (
            select(_EVENT.body)
            .where(
                _EVENT.tenant == tenant, _EVENT.at_unix >= start_unix, _EVENT.at_unix <= end_unix
            )
            .order_by(_EVENT.at_unix.desc(), _EVENT.id.desc())
            .limit(MOST_BETWEEN)
        )
        with self._database.reading() as connection:
            bodies = connection.scalars(query).all()
        return tuple(from_json(body, ChangeEvent) for body in reversed(bodies))

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ChangeEventPage:
        """Events, the last that came first; raises InvalidInput for a cursor that is not ours."""
        wanted = [_EVENT.tenant == tenant]
        if service is not None:
            wanted.append(_EVENT.service == service)
        with self._database.reading() as connection:
            bodies, more = page(connection, tables.change_event, wanted, limit, cursor)
        return ChangeEventPage(tuple(from_json(body, ChangeEvent) for body in bodies), more)

    def expire(self, before_unix: float) -> int:
        """Delete what happened before; returns how many went."""
        return self._database.write(
            lambda connection: (
                connection.execute(
                    delete(tables.change_event).where(_EVENT.at_unix < before_unix)
                ).rowcount
            )
        )


def _put_alert(connection: Connection, alert: Alert) -> Alert:
    try:
        known = _alert(connection, alert.key, alert.tenant)
    except NotFound:
        connection.execute(
            insert(tables.alert).values(
                tenant=alert.tenant, key=alert.key, service=alert.service, **_alert_row(alert)
            )
        )
        return alert
    if not alert.newer(known):
        return known
    now = replace(alert, incident_id=known.incident_id, opened=known.opened)
    _write_alert(connection, now)
    return now


def _alert(connection: Connection, key: str, tenant: str) -> Alert:
    body = connection.scalar(select(_ALERT.body).where(_ALERT.tenant == tenant, _ALERT.key == key))
    if body is None:
        raise NotFound(f"there is no alert {key}")
    return from_json(body, Alert)


def _write_alert(connection: Connection, alert: Alert) -> None:
    here = (_ALERT.tenant == alert.tenant, _ALERT.key == alert.key)
    connection.execute(update(tables.alert).where(*here).values(_alert_row(alert)))


def _alert_row(alert: Alert) -> dict[str, object]:
    return {
        "status": alert.status.value,
        "incident_id": alert.incident_id,
        "seen_unix": alert.seen_unix,
        "body": to_json(alert, Alert),
    }


def _put_event(connection: Connection, event: ChangeEvent) -> bool:
    key = hashlib.sha256(f"{event.source}\0{event.id}".encode()).hexdigest()
    here = (_EVENT.tenant == event.tenant, _EVENT.key == key)
    if connection.scalar(select(_EVENT.id).where(*here)) is not None:
        return False
    connection.execute(
        insert(tables.change_event).values(
            tenant=event.tenant,
            key=key,
            at_unix=event.at_unix,
            service=event.service,
            body=to_json(event, ChangeEvent),
        )
    )
    return True
