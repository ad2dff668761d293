"""GraphVersion: the causal graph of a service as it was kept from one time to the next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rootward.model.graph import CausalGraph, Edge
from rootward.model.series import Series


class Reason(StrEnum):
    """Why a version was written."""

    FIRST = "first"
    MECHANISM = "mechanism_changed"
    """What foretells the relearnt columns changed, their causes did not."""
    STRUCTURE = "structure_drifted"
    """Strong edges of the relearnt columns came or went."""
    SCHEDULED = "scheduled"
    """Strong edges came or went too slowly to be noticed when they did."""
    SERIES = "series_replaced"
    """Most of its series are measured no more."""


@dataclass(frozen=True)
class DriftNotice:
    """A service's columns changed after something was done to it, and no incident opened."""

    service: str
    at_unix: float
    """When it was done."""
    source: str
    """With `event_id` the name of the change event."""
    event_id: str
    title: str
    """What was done, in a few words."""
    text: str
    """What changed, in words."""


@dataclass(frozen=True)
class GraphVersion:
    """What drives each series of one service, in force until the next version.

    An edge leads to a series of the service from its own series or those of services next to it.
    """

    tenant: str
    group: str
    """The service."""
    number: int
    """1 for the first."""
    created_unix: float
    start_unix: float
    """First row that its relearnt columns were learnt from."""
    end_unix: float
    """Last row."""
    step_seconds: float
    """Distance between rows, in which lags are counted."""
    graph: CausalGraph
    relearnt: tuple[Series, ...]
    """Columns that were learnt for this version; all others are those of the version before."""
    reason: Reason
    quiet_from_unix: float
    """From here to `held_until_unix` it held, and no incident disturbed the rows."""
    held_until_unix: float
    """Last row by which it was seen to hold."""
    gained: tuple[Edge, ...] = ()
    """Strong edges of the relearnt columns that the version before did not have."""
    lost: tuple[Edge, ...] = ()
    """Strong edges of the version before that the relearnt columns no longer have."""
    notices: tuple[DriftNotice, ...] = ()

    @property
    def columns(self) -> tuple[Series, ...]:
        """The series of the service."""
        return tuple(one for one in self.graph.series if one.service == self.group)
