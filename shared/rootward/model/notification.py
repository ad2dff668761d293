"""Who is told of what happens to incidents, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rootward.model.handling import Activity
from rootward.model.incident import Incident, Severity


class TargetKind(StrEnum):
    """In which form a receiver wants to be told."""

    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    WEBHOOK = "webhook"


USUAL = {
    TargetKind.SLACK: ("opened", "diagnosed", "resolved", "reopened"),
    TargetKind.PAGERDUTY: ("opened", "acknowledged", "resolved", "reopened", "merged_into"),
    TargetKind.WEBHOOK: (
        *("opened", "severity", "diagnosed", "diagnosis_failed", "acknowledged", "assigned"),
        *("commented", "resolved", "reopened", "merged", "merged_into", "separated"),
        *("split", "split_off", "feedback"),
    ),
}
"""What a receiver of each kind is told of, unless it says otherwise."""
SILENT = frozenset({"notified", "notification_failed"})
"""Telling of these would never end."""


@dataclass(frozen=True)
class Target:
    """A receiver."""

    name: str
    kind: TargetKind
    url: str
    secret: str = field(default="", repr=False)
    """PagerDuty's routing key, or what webhooks are signed with."""
    actions: tuple[str, ...] = ()
    """Which lines of the log it is told of."""
    severities: tuple[Severity, ...] = tuple(Severity)
    tenant: str = "default"

    def wants(self, incident: Incident, line: Activity) -> bool:
        """Whether it is to be told of a line of the log of an incident."""
        return (
            incident.tenant == self.tenant
            and incident.severity in self.severities
            and line.action in self.actions
            and line.action not in SILENT
        )


@dataclass(frozen=True)
class Notification:
    """What happened, as it was when it happened."""

    key: str
    """The same however often it is sent: receivers tell repeats by it."""
    incident_id: str
    name: str
    """INC-7."""
    title: str
    severity: Severity
    status: str
    service: str
    """Of the symptom."""
    services: tuple[str, ...]
    action: str
    actor: str
    text: str
    at_unix: float
    onset_unix: float
    url: str = ""
    """Where people see it; empty where that is not known."""

    @classmethod
    def of(cls, key: str, incident: Incident, line: Activity, public_url: str) -> Notification:
        """What is told of a line of the log."""
        name = f"INC-{incident.number}"
        root = public_url.rstrip("/")
        return cls(
            key=key,
            incident_id=incident.id,
            name=name,
            title=incident.title,
            severity=incident.severity,
            status=incident.status.value,
            service=incident.symptom.service,
            services=incident.services,
            action=line.action,
            actor=line.actor,
            text=line.text,
            at_unix=line.at_unix,
            onset_unix=incident.onset_unix,
            url=f"{root}/incidents/{name}" if root else "",
        )
