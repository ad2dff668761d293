"""Alerts and change events in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from rootward.errors import InvalidInput, NotFound
from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent
from rootward.ports import DEFAULT_TENANT, AlertPage, ChangeEventPage

T = TypeVar("T")


class FakeAlertStore:
    """Alerts in a dictionary, in order of arrival."""

    def __init__(self, answering: Callable[[str, str], Iterable[str]] | None = None) -> None:
        self._answering = answering or (lambda incident_id, _: (incident_id,))
        self._alerts: dict[tuple[str, str], Alert] = {}

    def put(self, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
        """Store alerts; returns them as they are known now."""
        return tuple(self._put(alert) for alert in alerts)

    def get(self, key: str, tenant: str = DEFAULT_TENANT) -> Alert:
        """One alert by its key; raises NotFound where there is none."""
        if (tenant, key) not in self._alerts:
            raise NotFound(f"there is no alert {key}")
        return self._alerts[tenant, key]

    def link(self, key: str, incident_id: str, *, opened: bool, tenant: str) -> None:
        """Note the incident of an alert; the first one stays. Raises NotFound."""
        known = self.get(key, tenant)
        if not known.incident_id:
            linked = replace(known, incident_id=incident_id, opened=opened)
            self._alerts[tenant, key] = linked

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Alert, ...]:
        """The alerts of an incident, the earliest start first."""
        ids = {*self._answering(incident_id, tenant)}
        mine = [a for a in self._of_tenant(tenant) if a.incident_id in ids]
        return tuple(sorted(mine, key=lambda a: (a.starts_unix, a.key)))

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: AlertStatus | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AlertPage:
        """Alerts, the last that came first; the cursor counts those seen."""
        found = [
            a
            for a in reversed(self._of_tenant(tenant))
            if status in (None, a.status) and service in (None, a.service)
        ]
        return AlertPage(*page_of(found, limit, cursor))

    def expire(self, before_unix: float) -> int:
        """Forget what was not spoken of since; returns how many went."""
        old = [key for key, alert in self._alerts.items() if alert.seen_unix < before_unix]
        for key in old:
            del self._alerts[key]
        return len(old)

    def _put(self, alert: Alert) -> Alert:
        known = self._alerts.get((alert.tenant, alert.key))
        if known is not None and not alert.newer(known):
            return known
        if known is not None:
            alert = replace(alert, incident_id=known.incident_id, opened=known.opened)
        self._alerts[alert.tenant, alert.key] = alert
        return alert

    def _of_tenant(self, tenant: str) -> list[Alert]:
        return [a for a in self._alerts.values() if a.tenant == tenant]


class FakeChangeEventStore:
    """Change events in a dictionary, in order of arrival."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str, str], ChangeEvent] = {}

    def put(self, events: Sequence[ChangeEvent]) -> int:
        """Store events; returns how many were new."""
        before = len(self._events)
        for event in events:
            self._events.setdefault((event.tenant, event.source, event.id), event)
        return len(self._events) - before

    def between(
        self, start_unix: float, end_unix: float, tenant: str = DEFAULT_TENANT
    ) -> tuple[ChangeEvent, ...]:
        """Events of start ≤ time ≤ end, the earliest first."""
        found = [e for e in self._of_tenant(tenant) if start_unix <= e.at_unix <= end_unix]
        return tuple(sorted(found, key=lambda e: e.at_unix))

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ChangeEventPage:
        """Events, the last that came first; the cursor counts those seen."""
        every = reversed(self._of_tenant(tenant))
        found = [e for e in every if service in (None, e.service)]
        return ChangeEventPage(*page_of(found, limit, cursor))

    def expire(self, before_unix: float) -> int:
        """Forget what happened before; returns how many went."""
        old = [key for key, event in self._events.items() if event.at_unix < before_unix]
        for key in old:
            del self._events[key]
        return len(old)

    def _of_tenant(self, tenant: str) -> list[ChangeEvent]:
        return [e for e in self._events.values() if e.tenant == tenant]


def page_of(found: list[T], limit: int, cursor: str | None) -> tuple[tuple[T, ...], str | None]:
    """One page of a list, and the cursor of the next one: how many items were seen."""
    if limit < 1:
        raise InvalidInput(f"a page holds at least one item, not {limit}")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
        raise InvalidInput("the cursor is not one of ours; start again without one")
    start = int(cursor or 0)
    more = str(start + limit) if len(found) > start + limit else None
    return tuple(found[start : start + limit]), more
