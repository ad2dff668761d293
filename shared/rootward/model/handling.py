"""What people made of an incident: who has seen it, who has it, what it was merged with."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.model.series import Series


@dataclass(frozen=True)
class Handling:
    """The part of an incident that people write and the detector leaves alone."""

    version: int = 1
    """Counts what people changed and how often the status did; an ETag is made of it."""
    acknowledged_unix: float | None = None
    acknowledged_by: str = ""
    assignee: str = ""
    """Who has it; empty while nobody does."""
    resolved_by: str = ""
    """Who resolved it; empty where it ended by itself or is open."""
    merged_into: str = ""
    """Id of the incident that it went into; it answers for this one."""
    absorbed: tuple[str, ...] = ()
    """Ids of the incidents that went into this one, in their order."""
    brought: tuple[Series, ...] = ()
    """Series whose changes it brought to the incident that it went into."""
    given_away: tuple[Series, ...] = ()
    """Series whose changes were split off; they do not come back."""
    split_from: str = ""
    """Id of the incident that it was split off; it ends with that one."""
    links: tuple[str, ...] = ()
    """Ids of incidents that people say are related, in their order."""


@dataclass(frozen=True)
class Activity:
    """One line of the log of an incident: who did what when; lines are only ever added."""

    incident_id: str
    at_unix: float
    actor: str
    """Who did it; empty for Rootward itself."""
    action: str
    """A stable word: opened, resolved, reopened, severity, diagnosed, diagnosis_failed,
    acknowledged, unacknowledged, assigned, commented, merged, merged_into, split, split_off,
    separated, linked, unlinked, feedback, outcome, notified."""
    text: str = ""
    """What was said or done, for people; of a comment its text."""
    others: tuple[str, ...] = ()
    """Ids of the other incidents that it concerns."""
    id: int = 0
    """Its place in the log; given by the store."""
