"""What people and machines did to the system: deploys, configurations, scalings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rootward.model.wording import clock, duration

BEFORE_SECONDS = 1800.0
"""How long before an onset something may have been done to count as just before it."""
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


_DONE = {
    ChangeKind.DEPLOY: "was deployed",
    ChangeKind.CONFIG: "got another configuration",
    ChangeKind.SCALING: "was scaled",
    ChangeKind.OTHER: "was changed",
}


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

    def in_words(self, service: str, onset_unix: float) -> str:
        """What was done to a service that it concerns, as a sentence."""
        ahead = duration(onset_unix - self.at_unix)
        when = f"at {clock(self.at_unix)}, {ahead} before the onset"
        if self.service != service:
            return f"Where {service} runs, {when}: {self.title}."
        return f"{service} {_DONE[self.kind]} {when}: {self.title}."


def just_before(
    events: Sequence[ChangeEvent], service: str, onset_unix: float
) -> tuple[ChangeEvent, ...]:
    """What was done to a service just before an onset, in the order given."""
    return tuple(
        event
        for event in events
        if 0 <= onset_unix - event.at_unix <= BEFORE_SECONDS and event.concerns(service)
    )
