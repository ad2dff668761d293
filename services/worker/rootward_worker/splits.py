"""What was split off an incident ends with it at the latest: people saw them as one event."""

from __future__ import annotations

import logging
from dataclasses import replace

from rootward import telemetry
from rootward.errors import NotFound
from rootward.model.incident import Incident, Status
from rootward.ports import DEFAULT_TENANT, Platform

log = logging.getLogger(__name__)


def end_with_their_source(platform: Platform, tenant: str = DEFAULT_TENANT) -> None:
    """Resolve open incidents that were split off one that is over."""
    for incident in platform.incidents.current(tenant):
        if not incident.handling.split_from:
            continue
        try:
            source = platform.incidents.get(incident.handling.split_from, tenant)
        except NotFound:
            continue
        if source.status is Status.RESOLVED:
            _end(platform, incident, source)


def _end(platform: Platform, incident: Incident, source: Incident) -> None:
    def end(known: Incident) -> Incident:
        ended = max(source.resolved_unix or known.opened_unix, known.onset_unix)
        return replace(known, status=Status.RESOLVED, resolved_unix=ended)

    platform.incidents.revise(incident.id, end, incident.tenant)
    telemetry.INCIDENTS_RESOLVED.inc()
    log.info("incident resolved", extra={"incident": incident.id})
