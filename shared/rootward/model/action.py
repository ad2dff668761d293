"""Action: what can be done about a service, to find out more or to end the trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rootward.model.kind import Kind


@dataclass(frozen=True)
class Action:
    """Something that can be done about a service."""

    words: str
    """With a place for the service."""
    minutes: float
    """It takes, done with care."""
    helps: float
    """Prior chance: of a remedy that it ends an incident that this service caused; of a check
    that it shows the cause where it is."""
    kinds: frozenset[Kind]
    """Kinds of series that it fits; empty for all."""
    remedy: bool


ACTIONS: Mapping[str, Action] = {
    "read_logs": Action("look at the logs of {}", 4.0, 0.7, frozenset(), False),
    "read_traces": Action(
        "look at traces through {}", 5.0, 0.7, frozenset({Kind.LATENCY, Kind.ERRORS}), False
    ),
    "read_last_change": Action("look at what changed last in {}", 3.0, 0.5, frozenset(), False),
    "read_host": Action(
        "look at the host of {}", 3.0, 0.5, frozenset({Kind.UTILISATION, Kind.SATURATION}), False
    ),
    "roll_back": Action("roll back the last change of {}", 8.0, 0.35, frozenset(), True),
    "flip_flag": Action("turn off the newest flag of {}", 3.0, 0.2, frozenset(), True),
    "restart": Action(
        "restart {}", 4.0, 0.3,
        frozenset({Kind.LATENCY, Kind.ERRORS, Kind.SATURATION, Kind.UTILISATION}), True,
    ),
    "scale_out": Action(
        "add an instance of {}", 6.0, 0.25,
        frozenset({Kind.LATENCY, Kind.TRAFFIC, Kind.SATURATION, Kind.UTILISATION}), True,
    ),
    "drain": Action("drain the worst instance of {}", 5.0, 0.25, frozenset(), True),
}  # fmt: skip
