"""The report of an incident: one page without scripts, to print or to keep."""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import Request

from rootward.model.incident import Incident
from rootward.ports import Platform
from rootward_dashboard import assets, grouping, reading, rendering, slots_view, trying
from rootward_dashboard.blocks_view import analysis_view
from rootward_dashboard.incident_view import incident_view
from rootward_dashboard.names import incident_key, incident_name
from rootward_dashboard.topology import whereabouts

_ICON = re.compile(r"\s*<link rel=\"icon\"[^>]*>")
_STYLES = re.compile(r"<link rel=\"stylesheet\"[^>]*>")


def contents(platform: Platform, incident: Incident) -> Mapping[str, object]:
    """What the page shows, ready for its template."""
    entries = reading.methods(platform)
    finding = reading.whole_finding(platform, incident)
    found = finding.diagnosis
    step = found.step_seconds if found else None
    analyses = [
        analysis_view(a, entries.get(a.method), step)
        for a in platform.results.of(incident.id, incident.tenant)
    ]
    return {
        "view": incident_view(incident, finding, platform.clock.now()),
        "alerts": platform.alerts.of(incident.id, incident.tenant),
        "done": reading.done_around(platform, incident),
        "runs": whereabouts(platform, incident, found),
        "groups": grouping.groups(incident, found),
        "ruled_out": grouping.cleared(incident, found),
        "verdicts": platform.feedback.of(incident.id, incident.tenant),
        "tried": [trying.outcome(one) for one in reading.tried(platform, incident)],
        "graph_version": reading.graph_version(platform, incident),
        "key": incident_key(incident),
        "name": incident_name(incident),
        "slots": slots_view.slots(analyses, entries),
    }


def one_file(request: Request, platform: Platform, incident: Incident) -> str:
    """The page with its styles in it: it needs no server."""
    now = platform.clock.now()
    last = platform.samples.latest_unix(incident.tenant)
    stale = last is not None and now - last > reading.STALE_SECONDS
    page = rendering.page(
        request,
        "report.html",
        now=now,
        last_unix=last,
        stale=stale,
        **contents(platform, incident),
    )
    styles = assets.asset("rootward.css").body.decode()
    return _STYLES.sub(lambda _: f"<style>\n{styles}</style>", _ICON.sub("", page), count=1)
