"""What pages and API read alike: where a diagnosis stands, what comes in, what waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rootward.errors import InvalidParameters, Unavailable
from rootward.model.change_event import BEFORE_SECONDS, ChangeEvent
from rootward.model.graph_version import DriftNotice, GraphVersion
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.outcome import Told
from rootward.model.result import MethodEntry
from rootward.model.summary import IncidentQuery
from rootward.ports import JsonValue, Platform

_OPEN = IncidentQuery(statuses=(Status.OPEN,))
MOST_DRIFTED, DRIFTED_SECONDS = 5, 7 * 86_400.0
"""Notices of drift beside the list of incidents, and how long they stay there."""
STALE_SECONDS = 180.0
"""Without a sample for so long, what is shown may be out of date."""


@dataclass(frozen=True)
class Finding:
    """The diagnosis of an incident, or why there is none (yet)."""

    state: Literal["ready", "pending", "failed"]
    diagnosis: Diagnosis | None
    reason: str
    """Why the last attempt failed; may stand beside an older diagnosis."""


def finding(platform: Platform, incident: Incident) -> Finding:
    """Where the diagnosis of an incident stands."""
    diagnosis = platform.incidents.diagnosis(incident.id, incident.tenant)
    if diagnosis is not None:
        return Finding("ready", diagnosis, "")
    reason = platform.incidents.failure(incident.id, incident.tenant)
    return Finding("pending" if reason is None else "failed", None, reason or "")


def whole_finding(platform: Platform, incident: Incident) -> Finding:
    """The same, and beside a diagnosis why a later attempt failed, if one did."""
    found = finding(platform, incident)
    if found.diagnosis is None:
        return found
    return replace(found, reason=platform.incidents.failure(incident.id, incident.tenant) or "")


def tried(platform: Platform, incident: Incident) -> tuple[Told, ...]:
    """What was told of steps in an incident and in those that went into it, earliest first."""
    return platform.outcomes.of((incident.id, *incident.handling.absorbed), incident.tenant)


def graph_version(platform: Platform, incident: Incident) -> int | None:
    """Which version of the kept graph of its symptom's service was in force at its onset."""
    service, onset = incident.symptom.service, incident.onset_unix
    return platform.graphs.number_in_force(service, onset, incident.tenant)


def drifted(platform: Platform, tenant: str) -> tuple[tuple[DriftNotice, GraphVersion], ...]:
    """The newest notices of drift of the last days, as lists show them, with their versions."""
    oldest = platform.clock.now() - DRIFTED_SECONDS
    versions = platform.graphs.noticed(tenant, limit=MOST_DRIFTED).items
    notices = [(one, version) for version in versions for one in version.notices]
    return tuple(pair for pair in notices if pair[0].at_unix >= oldest)[:MOST_DRIFTED]


def done_around(platform: Platform, incident: Incident) -> tuple[ChangeEvent, ...]:
    """What was done to the system just before an incident and until its end, earliest first."""
    end = platform.clock.now() if incident.resolved_unix is None else incident.resolved_unix
    return platform.change_events.between(
        incident.onset_unix - BEFORE_SECONDS, end, incident.tenant
    )


@dataclass(frozen=True)
class Inflow:
    """What comes in for one service."""

    service: str
    series: int
    last_unix: float


@dataclass(frozen=True)
class Check:
    """Whether one part of the system answers."""

    name: str
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Overview:
    """What comes in, how fresh it is, and what waits."""

    now: float
    inflows: tuple[Inflow, ...]
    last_unix: float | None
    bus_backlog: int
    jobs_backlog: int
    open_incidents: int
    methods: int
    checks: tuple[Check, ...]

    @property
    def series(self) -> int:
        """How many series there are."""
        return sum(i.series for i in self.inflows)

    @property
    def ready(self) -> bool:
        """Whether every part answers."""
        return all(c.ok for c in self.checks)


def overview(platform: Platform, tenant: str) -> Overview:
    """The state of the whole system, with what a tenant sends."""
    return Overview(
        now=platform.clock.now(),
        inflows=inflows(platform, tenant),
        last_unix=platform.samples.latest_unix(tenant),
        bus_backlog=platform.bus.backlog(),
        jobs_backlog=platform.jobs.backlog(),
        open_incidents=platform.incidents.count(_OPEN, tenant),
        methods=len(platform.results.catalogue()),
        checks=checks(platform),
    )


def inflows(platform: Platform, tenant: str) -> tuple[Inflow, ...]:
    """What comes in of a tenant, service by service."""
    found: dict[str, Inflow] = {}
    for info in platform.samples.series(tenant):
        name = info.series.service
        old = found.get(name, Inflow(name, 0, info.last_unix))
        found[name] = Inflow(name, old.series + 1, max(old.last_unix, info.last_unix))
    return tuple(found[name] for name in sorted(found))


def checks(platform: Platform) -> tuple[Check, ...]:
    """Whether the stores answer, and why not."""
    return (
        _check("samples", platform.samples.check),
        _check("incidents", platform.incidents.check),
    )


def methods(platform: Platform) -> Mapping[str, MethodEntry]:
    """The catalogue by name."""
    return {entry.name: entry for entry in platform.results.catalogue()}


def checked_parameters(entry: MethodEntry, params: Mapping[str, JsonValue]) -> None:
    """Refuse parameters that the method does not have; the worker checks their values too.

    Raises:
        InvalidParameters: an unknown name, or a value of a type the schema rules out.
    """
    properties = json.loads(entry.schema).get("properties", {})
    if unknown := sorted(set(params) - set(properties)):
        raise InvalidParameters(
            f"{entry.name} has no parameter {', '.join(unknown)}; "
            f"it has {', '.join(sorted(properties)) or 'none'}"
        )
    for name, value in params.items():
        wanted = properties[name].get("type")
        if wanted in _TYPES and not _fits(value, wanted):
            raise InvalidParameters(f"{entry.name}: {name} must be of type {wanted}")


_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
}


def _fits(value: JsonValue, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])


def _check(name: str, probe: Callable[[], None]) -> Check:
    try:
        probe()
    except Unavailable as error:
        return Check(name, False, str(error))
    return Check(name, True)
