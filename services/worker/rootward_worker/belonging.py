"""What belongs together: which open incident a change is part of, and which is of none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rootward.model.incident import Incident
from rootward.model.kind import EXTERNAL, Kind, kind_of
from rootward.model.series import Series
from rootward.model.traits import VIEWED
from rootward.model.window import Window
from rootward_worker import story
from rootward_worker.finding import Finding

SPREAD_SECONDS = 300.0
SPREAD_ROWS = 4
"""Where calls are not known, trouble is taken to spread for so long after an onset."""
SHARED_ROWS = 2
"""What begins within so many rows of an onset may have its cause, whoever calls whom."""
FRESH_ROWS = 12
"""What departed longer ago may have drifted away from a baseline as old as the incident."""
OTHER_ROWS = 2
"""Once its symptoms have been gone for so many rows, symptoms elsewhere are another event."""


@dataclass(frozen=True, eq=False)
class Calls:
    """Which services feel the trouble of which: those who call them, directly or not."""

    known: frozenset[str]
    """Services that calls are known of."""
    felt_by: frozenset[tuple[str, str]]
    """Pairs of a service, and one that calls it."""

    @classmethod
    def of(cls, series: Sequence[Series], calls: Iterable[tuple[str, str]]) -> Calls:
        """From known pairs (caller, callee), and from what callers measured in a frame."""
        services = {one.service for one in series}
        viewed = ((one.metric.rpartition(VIEWED)[2], one.service) for one in series)
        pairs = {*calls, *(pair for pair in viewed if pair[0] in services)}
        names = sorted({name for pair in pairs for name in pair})
        place = {name: k for k, name in enumerate(names)}
        reached = np.eye(len(names), dtype=bool)
        for caller, callee in pairs:
            reached[place[callee], place[caller]] = True
        for _ in range(len(names).bit_length()):
            reached = reached @ reached  # paths of twice the length
        felt_by = ((names[k], names[c]) for k, c in np.argwhere(reached).tolist())
        return cls(frozenset(names), frozenset(felt_by))

    def knows(self, service: str, others: Iterable[str]) -> bool:
        """Whether there are calls known of a service and of one of the others."""
        return service in self.known and not self.known.isdisjoint(others)


NO_CALLS = Calls(frozenset(), frozenset())


def parted(
    incidents: Sequence[Incident],
    found: Sequence[Finding],
    away: Sequence[frozenset[Series]],
    frame: Window,
    calls: Calls,
) -> tuple[list[tuple[Finding, ...]], tuple[Finding, ...]]:
    """What is part of each incident, and what is of none.

    `away` holds the series that are not back yet, for each incident. A change that does no harm
    goes to where its service is known, or else to the newest incident.
    """
    if not incidents:
        return [], tuple(found)
    parts: list[list[Finding]] = [[] for _ in incidents]
    rest: list[Finding] = []
    for finding in found:
        places = [
            k for k, one in enumerate(incidents) if _takes(finding, one, away[k], frame, calls)
        ]
        if places:
            parts[max(places, key=lambda k: _closeness(finding, incidents[k]))].append(finding)
        else:
            rest.append(finding)
    broken = {f.series.service for f in rest if f.harmful}
    newest = max(range(len(incidents)), key=lambda k: incidents[k].onset_unix)
    parts[newest] += [f for f in rest if f.series.service not in broken]
    return [tuple(p) for p in parts], tuple(f for f in rest if f.series.service in broken)


def belongs(finding: Finding, incident: Incident, frame: Window, calls: Calls) -> bool:
    """Whether a symptom may be of an incident whose own symptoms go on.

    It is of the same service, or of one that calls it, directly or not; traffic also goes missing
    further down. Where calls are not known, whatever begins soon after the onset may be; where
    they are, only what begins with it.
    """
    service, felt = finding.series.service, _felt(incident)
    if service in felt or finding.series in _series(incident):
        return True
    if len(frame.times) - finding.onset > FRESH_ROWS:
        return True
    apart = abs(float(frame.times[finding.onset]) - incident.onset_unix)
    if not calls.knows(service, felt):
        return apart <= max(SPREAD_SECONDS, SPREAD_ROWS * frame.step_seconds)
    starved = finding.gone or kind_of(finding.series.metric) is Kind.TRAFFIC
    reached = any(
        (other, service) in calls.felt_by or (starved and (service, other) in calls.felt_by)
        for other in felt
    )
    return reached or apart <= SHARED_ROWS * frame.step_seconds


def _takes(
    finding: Finding, incident: Incident, away: frozenset[Series], frame: Window, calls: Calls
) -> bool:
    if not finding.harmful:
        return finding.series in _series(incident) or finding.series.service in incident.services
    quiet_since = float(frame.times[-1] - OTHER_ROWS * frame.step_seconds)
    if story.is_another(incident, {finding.series.service}, away, quiet_since):
        return False
    return belongs(finding, incident, frame, calls)


def _closeness(finding: Finding, incident: Incident) -> tuple[bool, bool, float]:
    own = finding.series in _series(incident)
    return own, finding.series.service in _felt(incident), incident.onset_unix


def _felt(incident: Incident) -> frozenset[str]:
    """Services whose callers notice the incident."""
    return frozenset(
        {
            incident.symptom.service,
            *(c.series.service for c in incident.changes if kind_of(c.series.metric) in EXTERNAL),
        }
    )


def _series(incident: Incident) -> frozenset[Series]:
    return frozenset({incident.symptom, *(c.series for c in incident.changes)})
