"""What an alerting system says: an alert that fires for a service, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALERT_NAME = "alertname"


class AlertStatus(StrEnum):
    """The life of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Alert:
    """One firing of one alert, from its start to its end; it is told by `key`."""

    tenant: str
    fingerprint: str
    """Which label set it is of, in the words of its sender."""
    starts_unix: float
    status: AlertStatus
    service: str
    """The service that its labels name; empty where they name none."""
    labels: tuple[tuple[str, str], ...]
    """Sorted by name."""
    annotations: tuple[tuple[str, str], ...] = ()
    ends_unix: float | None = None
    """When it ended; None while it fires."""
    seen_unix: float = 0.0
    """When its sender last spoke of it."""
    url: str = ""
    """Where its sender shows what it fired on."""
    incident_id: str = ""
    """The incident that it opened or joined; empty while there is none."""
    opened: bool = False
    """Whether the incident is there because of it."""

    @property
    def key(self) -> str:
        """Its identity within the tenant: the same however often it is sent."""
        return f"{self.fingerprint}-{round(self.starts_unix * 1000)}"

    @property
    def name(self) -> str:
        """What its rule is called."""
        return self.label(ALERT_NAME)

    @property
    def summary(self) -> str:
        """What it says, in a sentence: the first annotation there is for that."""
        said = dict(self.annotations)
        wordings = (said.get(k, "") for k in ("summary", "description", "message"))
        return next(filter(None, wordings), "")

    def label(self, name: str) -> str:
        """The value of a label, empty where it has none of that name."""
        return dict(self.labels).get(name, "")

    def newer(self, other: Alert) -> bool:
        """Whether this tells more than an earlier word on the same firing; an end is final."""
        if self.status is other.status:
            return self.seen_unix > other.seen_unix
        return self.status is AlertStatus.RESOLVED
