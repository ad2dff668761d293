"""What people and machines did to the system: deploys, configurations, scalings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

RUNS = "runs"
"""Detail of an event that concerns a machine: the workloads that run there, between commas."""
INSTANCES = "instances"
"""Detail of an event that not all instances of its service got: those that did, between commas."""


class ChangeKind(StrEnum):
    """What was done, in one word."""

    DEPLOY = "deploy"
    CONFIG = "config"
    SCALING = "scaling"
    OTHER = "other"


@dataclass(frozen=True)
class ChangeEvent:
    """Something that was done at a time; not to be taken for a `Change`, which is measured."""

    tenant: str
    source: str
    """Who reports it."""
    id: str
    """Its name with the source: the two together tell one event from all others."""
    at_unix: float
    kind: ChangeKind
    service: str
    """The service it was done to; empty where it concerns all of them."""
    title: str
    """What was done, in a few words."""
    type: str = ""
    """What its source calls this kind of event."""
    author: str = ""
    url: str = ""
    details: tuple[tuple[str, str], ...] = ()
    """What else is known: version, image, replicas, environment, instances."""

    def concerns(self, service: str) -> bool:
        """Whether it was done to this service, or to a machine that it runs on."""
        running = dict(self.details).get(RUNS, "")
        return self.service == service or service in running.split(", ")
