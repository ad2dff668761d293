"""Outcome: what came of a check or a remedy that someone tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """One step that was taken in an incident, and whether it helped."""

    incident_id: str
    action: str
    """Name of the step, such as `roll_back` or `read_logs`."""
    service: str
    """What it was done to."""
    kind: str
    """Kind of the series that spoke for the service, see `model.kind.Kind`."""
    helped: float
    """Of a remedy: 1 if the symptom went away, 0 if not. Of a check: 1 if it showed rightly
    whether the service was the cause. A share where that is what is known."""
    told_unix: float
    source: Literal["person", "sli"] = "person"
    """Who says so: someone on call, or the symptom's own recovery afterwards."""
