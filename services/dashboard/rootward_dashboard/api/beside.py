"""What stands beside a diagnosis: the time line, incidents that look alike, who calls whom."""

from __future__ import annotations

from fastapi import APIRouter

from rootward.ports import Platform
from rootward_dashboard import happenings, likeness, looking, topology
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import get
from rootward_dashboard.figures import instant
from rootward_dashboard.likeness import Like
from rootward_dashboard.names import incident_name

RESOLUTIONS = 5
"""Of so many incidents it is looked up how they ended."""


def add(routes: APIRouter, platform: Platform) -> None:
    """Time line, likeness, topology."""

    def timeline(caller: Asking, key: str) -> looking.TimelineOut:
        """What happened around an incident on one axis: changes, alerts, departures, deeds."""
        return happenings.timeline(platform, platform.incidents.get(key, caller.tenant))

    def similar(caller: Asking, key: str) -> looking.SimilarsOut:
        """Earlier incidents that look alike, and how they were resolved."""
        known = platform.incidents.get(key, caller.tenant)
        (own,) = platform.incidents.summaries((known.id,), known.tenant)
        found = likeness.alike(platform, known, own)
        return looking.SimilarsOut(
            items=[
                _similar(one, _resolution(platform, one) if k < RESOLUTIONS else "")
                for k, one in enumerate(found)
            ]
        )

    def calls(caller: Asking) -> looking.TopologyOut:
        """Services, who calls whom by their labels, and who drives whom in recent diagnoses."""
        return topology.topology(platform, caller.tenant)

    get(routes, "/incidents/{key}/timeline", timeline, "get_timeline", looking.TimelineOut)
    get(routes, "/incidents/{key}/similar", similar, "list_similar", looking.SimilarsOut)
    get(routes, "/topology", calls, "get_topology", looking.TopologyOut)


def _similar(one: Like, resolution: str) -> looking.SimilarOut:
    incident = one.summary.incident
    return looking.SimilarOut(
        id=incident.id,
        name=incident_name(incident),
        title=incident.title,
        status=incident.status.value,
        opened_at=instant(incident.opened_unix),
        opened_unix=incident.opened_unix,
        score=round(one.score, 4),
        shared_services=list(one.shared),
        same_symptom=one.same_symptom,
        first_cause=one.summary.first_cause,
        resolution=resolution,
    )


def _resolution(platform: Platform, one: Like) -> str:
    incident = one.summary.incident
    lines = platform.incidents.log(incident.id, incident.tenant)
    notes = [line.text for line in lines if line.action == "resolved" and line.text]
    return notes[-1] if notes else ""
