"""Something that happened and that whoever looks on should hear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Facts = Mapping[str, str | int | float | bool | None]
"""What happened, in a few words and numbers."""


@dataclass(frozen=True)
class Event:
    """One message of the stream of events; messages go after a while."""

    id: int
    """Ascending; nothing is ever told under an id that is lower than one that was read."""
    kind: str
    """incident, diagnosis or analysis."""
    incident_id: str
    """Empty where it concerns none."""
    at_unix: float
    facts: Facts = field(default_factory=dict)
