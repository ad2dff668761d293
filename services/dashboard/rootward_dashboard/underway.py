"""How far a diagnosis is that runs just now, from the events that it told."""

from __future__ import annotations

from collections.abc import Mapping

from rootward.model.event import Event, Fact
from rootward.model.incident import Incident
from rootward.ports import Platform
from rootward_dashboard.schemas import ProgressOut, ProvisionalOut


def progress(platform: Platform, incident: Incident) -> ProgressOut | None:
    """The step that the diagnosis of an incident reached last; None where none was begun."""
    told = platform.events.of_kind("diagnosis", incident.id, incident.tenant)
    if not told:
        return None
    last = told[-1]
    return ProgressOut(
        step=str(last.facts.get("step", "")), at_unix=last.at_unix, candidates=_ranked(told)
    )


def _ranked(told: tuple[Event, ...]) -> list[ProvisionalOut]:
    """What the latest run ranked first, if it came so far: each run begins with its frame."""
    found: list[ProvisionalOut] = []
    for event in told:
        listed = event.facts.get("candidates", ())
        if event.facts.get("step") == "frame":
            found = []
        elif isinstance(listed, tuple) and listed:
            found = [_provisional(one) for one in listed]
    return found


def _provisional(one: Mapping[str, Fact]) -> ProvisionalOut:
    return ProvisionalOut.model_validate(dict(one))
