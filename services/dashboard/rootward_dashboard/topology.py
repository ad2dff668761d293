"""Services and where they run, who calls whom by labels, who drives whom in recent diagnoses."""

from __future__ import annotations

from collections import defaultdict

from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.placement import Placed
from rootward.model.summary import IncidentQuery
from rootward.ports import Platform
from rootward.rca.labelled_calls import labelled_calls
from rootward_dashboard.looking import CallOut, NodeOut, RunsOut, TopologyOut, runs
from rootward_dashboard.names import incident_name

RECENT = 5
"""Diagnoses whose graphs are shown."""
MOST_OPEN = 200
"""Open incidents that are shown at their services."""


def topology(platform: Platform, tenant: str) -> TopologyOut:
    """The services of a tenant and the arrows between them."""
    known = platform.samples.series(tenant)
    counts: dict[str, int] = defaultdict(int)
    last: dict[str, float] = defaultdict(float)
    for info in known:
        name = info.series.service
        counts[name] += 1
        last[name] = max(last[name], info.last_unix)
    broken: dict[str, list[str]] = defaultdict(list)
    opened = IncidentQuery(statuses=(Status.OPEN,))
    for one in reversed(platform.incidents.search(opened, tenant, limit=MOST_OPEN).items):
        for name in one.services:
            broken[name].append(incident_name(one.incident))
    placed = Placed(platform.placements.all(tenant), [info.series for info in known])
    calls = labelled_calls((info.series for info in known), placed.names())
    places = placed.whereabouts()
    return TopologyOut(
        services=[
            NodeOut(
                service=name,
                series=counts[name],
                last_unix=last[name],
                open_incidents=broken[name],
                runs=runs(places[name]) if name in places else None,
            )
            for name in sorted(counts)
        ],
        edges=[
            *(CallOut(source=a, target=b, kind="calls") for a, b in calls),
            *_learned(platform, tenant),
        ],
    )


def whereabouts(
    platform: Platform, incident: Incident, found: Diagnosis | None
) -> dict[str, RunsOut]:
    """Where the services of an incident run now, of those that a watched cluster knows."""
    placements = platform.placements.all(incident.tenant)
    if not placements:
        return {}
    seen = {incident.symptom, *(change.series for change in incident.changes)}
    causes = [] if found is None else [one.series for one in found.candidates]
    if found is not None:
        seen |= {*found.graph.series, *causes}
    places = Placed(placements, seen).whereabouts()
    services = {one.service for one in seen}
    return {
        name: runs(place, (one for one in causes if one.service == name))
        for name, place in places.items()
        if name in services
    }


def _learned(platform: Platform, tenant: str) -> list[CallOut]:
    """Edges between services, the strongest of each pair, by recent diagnoses."""
    weights: dict[tuple[str, str], float] = defaultdict(float)
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for incident in _recent(platform, tenant):
        found = platform.incidents.diagnosis(incident.id, tenant)
        for edge in found.graph.edges if found else ():
            pair = (edge.cause.service, edge.effect.service)
            if pair[0] != pair[1]:
                weights[pair] = max(weights[pair], abs(edge.weight))
                where[pair].append(incident_name(incident))
    return [
        CallOut(
            source=a,
            target=b,
            kind="learned",
            incidents=list(dict.fromkeys(where[a, b])),
            weight=weights[a, b],
        )
        for a, b in sorted(weights)
    ]


def _recent(platform: Platform, tenant: str) -> list[Incident]:
    page = platform.incidents.search(IncidentQuery(), tenant, limit=4 * RECENT)
    return [one.incident for one in page.items if one.state == "ready"][:RECENT]
