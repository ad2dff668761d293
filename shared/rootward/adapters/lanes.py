"""Lanes: which jobs may wait for which, and how long each may run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Lane(StrEnum):
    """A queue of its own for jobs of one urgency."""

    INTERACTIVE = "interactive"
    """Somebody waits for it: never behind the work of another lane."""
    BATCH = "batch"
    """May take minutes; leaves room for the others."""
    NOTIFY = "notify"
    MAINTENANCE = "maintenance"


ALL = frozenset(Lane)
SWIFT = ALL - {Lane.BATCH}
"""What need not wait for long jobs."""

LANES: Mapping[str, Lane] = {
    "diagnose": Lane.INTERACTIVE,
    "explain": Lane.INTERACTIVE,
    "alerts": Lane.INTERACTIVE,
    "given_up": Lane.INTERACTIVE,
    "analyse": Lane.BATCH,
    "help": Lane.BATCH,
    "graphs": Lane.BATCH,
    "notify": Lane.NOTIFY,
    "catalogue": Lane.MAINTENANCE,
    "expire": Lane.MAINTENANCE,
    "judge": Lane.MAINTENANCE,
}

LIMIT_SECONDS: Mapping[Lane, float] = {
    Lane.INTERACTIVE: 600.0,
    Lane.BATCH: 1200.0,
    Lane.NOTIFY: 60.0,
    Lane.MAINTENANCE: 600.0,
}
"""How long a job may run; the longest deadline of a method is 900 s."""


def lane_of(name: str) -> Lane:
    """The lane of a job; one that is not known here may take long."""
    return LANES.get(name, Lane.BATCH)
