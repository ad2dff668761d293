"""Something that happened and that whoever looks on should hear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Fact = str | int | float | bool | None
Facts = Mapping[str, Fact | tuple[Mapping[str, Fact], ...]]
"""What happened, in a few words and numbers; where there are several, in a short list."""


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
