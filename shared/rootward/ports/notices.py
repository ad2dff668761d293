"""Where alerts and change events are kept: what others say happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent
from rootward.model.tenant import DEFAULT_TENANT


@dataclass(frozen=True)
class AlertPage:
    """A page of alerts, the last that came first; `next_cursor` is None on the last page."""

    items: tuple[Alert, ...]
    next_cursor: str | None


@runtime_checkable
class AlertStore(Protocol):
    """What alerting systems say."""

    def put(self, alerts: Sequence[Alert]) -> tuple[Alert, ...]:
        """Store alerts durably, all or none; returns them as they are known now.

        Idempotent by tenant and key. A later word on a firing replaces the earlier one, but an
        end is final, and the incident of an alert stays.
        """
        ...

    def get(self, key: str, tenant: str = DEFAULT_TENANT) -> Alert:
        """One alert by its key.

        Raises:
            NotFound: there is none.
        """
        ...

    def link(self, key: str, incident_id: str, *, opened: bool, tenant: str) -> None:
        """Note which incident an alert opened or joined; the first stays. Raises NotFound."""
        ...

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Alert, ...]:
        """The alerts of an incident, the earliest start first."""
        ...

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: AlertStatus | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AlertPage:
        """Alerts, the last that came first, by keyset; raises InvalidInput for a strange cursor."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete alerts that were not spoken of since a time; returns how many went."""
        ...


@dataclass(frozen=True)
class ChangeEventPage:
    """A page of change events, the last that came first; `next_cursor` is None on the last one."""

    items: tuple[ChangeEvent, ...]
    next_cursor: str | None


@runtime_checkable
class ChangeEventStore(Protocol):
    """What was done to the system: deploys, configurations, scalings."""

    def put(self, events: Sequence[ChangeEvent]) -> int:
        """Store events durably, all or none; returns how many were new.

        Idempotent by tenant, source and id: the first word on an event stays.
        """
        ...

    def between(
        self, start_unix: float, end_unix: float, tenant: str = DEFAULT_TENANT
    ) -> tuple[ChangeEvent, ...]:
        """Events of start ≤ time ≤ end, the earliest first; of too many the latest."""
        ...

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ChangeEventPage:
        """Events, the last that came first, by keyset; raises InvalidInput for a strange cursor."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete events of before a time; returns how many went."""
        ...
