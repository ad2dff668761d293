"""Outcome: what came of a check or a remedy that someone tried, and how it was told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rootward.model.action import ACTIONS
from rootward.model.handling import Activity

RECOVERS_SECONDS = 600.0
"""A remedy helped, where nothing else is said, if the symptom was gone so soon after it."""
JUDGED_SECONDS = 900.0
"""After it the symptom is asked: it must have stayed away until then."""


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


@dataclass(frozen=True)
class Told:
    """What one person told of one step; a later word of the same person replaces it."""

    incident_id: str
    action: str
    service: str
    kind: str
    actor: str
    """Who told it."""
    told_unix: float
    helped: float | None = None
    """See `Outcome.helped`; None where nobody and nothing has said so yet."""
    source: Literal["person", "sli"] = "person"
    note: str = ""
    """Why, in the words of the person or of the symptom's recovery."""

    @property
    def line(self) -> Activity:
        """The line of the log that it gets; without an actor where the symptom spoke."""
        actor = self.actor if self.source == "person" else ""
        said = f"{step_in_words(self.action, self.service)}: {came_of(self.action, self.helped)}"
        text = f"{said} ({self.note})" if self.note else said
        return Activity(self.incident_id, self.told_unix, actor, "outcome", text)


def step_in_words(action: str, service: str) -> str:
    """Such as `restart cart`."""
    known = ACTIONS.get(action)
    return known.words.format(service) if known else f"{action} {service}"


def came_of(action: str, helped: float | None) -> str:
    """What came of a step, in words."""
    if helped is None:
        return "tried, not yet known whether it helped"
    known = ACTIONS.get(action)
    if known is not None and not known.remedy:
        return "it showed whether that was the cause" if helped >= 0.5 else "it did not show it"
    return "it helped" if helped >= 0.5 else "it did not help"


def outcomes_of(told: Iterable[Told]) -> tuple[Outcome, ...]:
    """One outcome for each step of an incident, oldest first.

    What several people say of one step is one trial: its share is the mean of their words. The
    symptom's recovery counts where nobody said it.
    """
    steps: dict[tuple[str, str, str], list[Told]] = {}
    for one in told:
        if one.helped is not None:
            steps.setdefault((one.incident_id, one.action, one.service), []).append(one)
    return tuple(sorted(map(_outcome, steps.values()), key=lambda one: one.told_unix))


def _outcome(words: list[Told]) -> Outcome:
    said = [one for one in words if one.source == "person"] or words
    last = max(said, key=lambda one: one.told_unix)
    helped = sum(one.helped or 0.0 for one in said) / len(said)
    return Outcome(
        last.incident_id,
        last.action,
        last.service,
        last.kind,
        helped,
        last.told_unix,
        last.source,
    )
