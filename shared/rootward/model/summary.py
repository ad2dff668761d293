"""An incident as lists show it, what lists are searched by, and how their items are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rootward.model.incident import Band, Diagnosis, Incident, Severity, Status


@dataclass(frozen=True)
class Summary:
    """An incident without its changes, and the outcome of its diagnosis in short."""

    incident: Incident
    services: tuple[str, ...]
    """Services with a change, and that of the symptom; sorted."""
    state: Literal["ready", "pending", "failed"] = "pending"
    reason: str = ""
    """Why the last diagnosis failed; may stand beside an older outcome."""
    conclusion: str = ""
    band: Band | None = None
    confidence: float | None = None
    abstained: bool | None = None
    first_cause: str | None = None
    """Service of the first candidate."""

    @classmethod
    def of(cls, incident: Incident, diagnosis: Diagnosis | None, failure: str | None) -> Summary:
        """The summary of an incident."""
        services = tuple(sorted({*incident.services, incident.symptom.service}))
        bare = cls(replace(incident, changes=()), services, reason=failure or "")
        if diagnosis is None:
            return bare if failure is None else replace(bare, state="failed")
        return replace(
            bare,
            state="ready",
            conclusion=diagnosis.conclusion,
            band=diagnosis.band,
            confidence=diagnosis.confidence,
            abstained=diagnosis.abstained,
            first_cause=diagnosis.candidates[0].service if diagnosis.candidates else None,
        )

    @property
    def text(self) -> str:
        """What a search looks in: name, title, conclusion, services, assignee; in lower case."""
        incident = self.incident
        name = f"INC-{incident.number}"
        parts = (name, incident.title, self.conclusion, *self.services, incident.handling.assignee)
        return "\n".join(parts).lower()


@dataclass(frozen=True)
class IncidentQuery:
    """Which incidents; of several values of one kind any fits, of several kinds all must."""

    statuses: tuple[Status, ...] = ()
    severities: tuple[Severity, ...] = ()
    services: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    """An empty string stands for nobody."""
    acknowledged: bool | None = None
    words: tuple[str, ...] = ()
    """Parts of the text, in lower case; all must occur."""

    def fits(self, one: Summary) -> bool:
        """Whether an incident is among them; one that was merged never is."""
        incident, handling = one.incident, one.incident.handling
        seen = handling.acknowledged_unix is not None
        return (
            not handling.merged_into
            and (not self.statuses or incident.status in self.statuses)
            and (not self.severities or incident.severity in self.severities)
            and (not self.services or bool({*self.services} & {*one.services}))
            and (not self.assignees or handling.assignee in self.assignees)
            and self.acknowledged in (None, seen)
            and all(word in one.text for word in self.words)
        )


@dataclass(frozen=True)
class SummaryPage:
    """A page of incidents, newest first; `next_cursor` is None on the last one."""

    items: tuple[Summary, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Facets:
    """How many incidents have each value; each kind is counted without its own filter."""

    statuses: Mapping[str, int]
    severities: Mapping[str, int]
    services: Mapping[str, int]
    """Those of most incidents, counted over the newest that fit."""
    assignees: Mapping[str, int]
    """An empty string stands for nobody."""
    acknowledged: int
    total: int
    """Incidents that fit all of the query."""


MOST_SERVICES = 100
"""Services that are counted."""
COUNTED_FOR_SERVICES = 1000
"""Newest incidents whose services are counted."""
