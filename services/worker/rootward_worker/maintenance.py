"""Maintenance: announced work demotes the incidents of its services, and hides none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rootward.model.change_event import ChangeEvent
from rootward.model.incident import Incident, Severity

MARK = " (during maintenance)"
LONGEST_SECONDS = 86_400.0
"""Announced work is looked for so far back."""
USUAL_MINUTES = 60.0
"""Where the announcement does not say."""


def demoted(incident: Incident, events: Sequence[ChangeEvent]) -> Incident:
    """The incident as information only, if its symptom's service was under announced work.

    Announced is a change event whose type holds the word maintenance; it lasts for `minutes` of
    its details, an hour without, and concerns every service where it names none.
    """
    if not any(_covers(event, incident) for event in events):
        return incident
    title = incident.title if incident.title.endswith(MARK) else incident.title + MARK
    return replace(incident, severity=Severity.INFO, title=title)


def _covers(event: ChangeEvent, incident: Incident) -> bool:
    if "maintenance" not in event.type.lower():
        return False
    ends = event.at_unix + 60 * _minutes(event)
    concerns = event.service in ("", incident.symptom.service)
    return concerns and event.at_unix <= incident.opened_unix <= ends


def _minutes(event: ChangeEvent) -> float:
    said = dict(event.details).get("minutes", "")
    try:
        return min(max(float(said), 0.0), LONGEST_SECONDS / 60)
    except ValueError:
        return USUAL_MINUTES
