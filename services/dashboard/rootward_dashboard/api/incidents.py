"""Incidents as they are: the list, its counts, one incident, its log, its diagnosis."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rootward.model.incident import Incident, Severity, Status
from rootward.model.summary import IncidentQuery
from rootward.ports import Platform
from rootward_dashboard import detail, grouping, judging, looking, reading, trying, underway, wire
from rootward_dashboard import handling as work
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import PREFIX, Cursor, Limit, etag, get, link_next, root
from rootward_dashboard.names import incident_key, incident_name
from rootward_dashboard.problems import Problem
from rootward_dashboard.topology import whereabouts

_MOST_WORDS = 10
_Statuses = Annotated[list[Status] | None, Query(description="Only these; may be repeated.")]
_Severities = Annotated[list[Severity] | None, Query(description="Only these.")]
_Services = Annotated[
    list[str] | None, Query(description="Only incidents with a change in one of these.")
]
_Assignees = Annotated[
    list[str] | None, Query(description="Only of these people; empty stands for nobody.")
]
_Acknowledged = Annotated[bool | None, Query(description="Only those that were seen, or not.")]
_Text = Annotated[
    str, Query(max_length=200, description="Words that name, title, cause or services hold.")
]


def add(routes: APIRouter, platform: Platform) -> None:
    """What can be read of incidents."""
    _add_lists(routes, platform)

    def incident(
        request: Request, response: Response, caller: Asking, key: str
    ) -> detail.IncidentDetailOut:
        """An incident by id or by name (`INC-7`), with all that is known of it.

        One that was merged is answered for by the incident that it went into.
        """
        known = platform.incidents.get(key, caller.tenant)
        response.headers["ETag"] = etag(known.handling.version)
        response.headers["Content-Location"] = (
            f"{root(request)}{PREFIX}/incidents/{incident_key(known)}"
        )
        return _detail(request, platform, known, key)

    def diagnosis(caller: Asking, key: str) -> out.DiagnosisOut:
        """The diagnosis of an incident; while there is none, a 404 whose code says why."""
        known = platform.incidents.get(key, caller.tenant)
        finding = reading.finding(platform, known)
        if finding.diagnosis is not None:
            kept = reading.graph_version(platform, known)
            return wire.diagnosis(known.id, finding.diagnosis, kept)
        if finding.state == "failed":
            raise Problem(404, "diagnosis_failed", "The diagnosis failed", finding.reason)
        raise Problem(
            404, "diagnosis_pending", "No diagnosis yet", "The diagnosis is queued or running."
        )

    def activity(caller: Asking, key: str) -> work.ActivitiesOut:
        """Who did what to an incident when, the earliest first."""
        known = platform.incidents.get(key, caller.tenant)
        lines = platform.incidents.log(known.id, caller.tenant)
        return work.ActivitiesOut(items=[work.activity(line) for line in lines])

    at = "/incidents/{key}"
    get(routes, at, incident, "get_incident", detail.IncidentDetailOut)
    get(routes, f"{at}/diagnosis", diagnosis, "get_diagnosis", out.DiagnosisOut)
    get(routes, f"{at}/activity", activity, "list_activity", work.ActivitiesOut)


def _add_lists(routes: APIRouter, platform: Platform) -> None:
    def incidents(
        request: Request,
        response: Response,
        caller: Asking,
        status: _Statuses = None,
        severity: _Severities = None,
        service: _Services = None,
        assignee: _Assignees = None,
        acknowledged: _Acknowledged = None,
        q: _Text = "",
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.IncidentPageOut:
        """Incidents, newest first, page by page; those that were merged are left out."""
        query = _query(status, severity, service, assignee, acknowledged, q)
        page = platform.incidents.search(query, caller.tenant, limit=limit, cursor=cursor)
        link_next(request, response, page.next_cursor)
        now = platform.clock.now()
        items = [wire.incident(one, now, root(request)) for one in page.items]
        return out.IncidentPageOut(items=items, next_cursor=page.next_cursor)

    def facets(
        caller: Asking,
        status: _Statuses = None,
        severity: _Severities = None,
        service: _Services = None,
        assignee: _Assignees = None,
        acknowledged: _Acknowledged = None,
        q: _Text = "",
    ) -> work.FacetsOut:
        """How many incidents there are of each kind; each kind is counted without its filter."""
        query = _query(status, severity, service, assignee, acknowledged, q)
        return work.facets(platform.incidents.facets(query, caller.tenant))

    get(routes, "/incidents", incidents, "list_incidents", out.IncidentPageOut)
    get(routes, "/incidents/facets", facets, "get_incident_facets", work.FacetsOut)


def _query(
    status: list[Status] | None,
    severity: list[Severity] | None,
    service: list[str] | None,
    assignee: list[str] | None,
    acknowledged: bool | None,
    q: str,
) -> IncidentQuery:
    return IncidentQuery(
        statuses=tuple(status or ()),
        severities=tuple(severity or ()),
        services=tuple(service or ()),
        assignees=tuple(assignee or ()),
        acknowledged=acknowledged,
        words=tuple(q.lower().split()[:_MOST_WORDS]),
    )


def _detail(
    request: Request, platform: Platform, known: Incident, key: str
) -> detail.IncidentDetailOut:
    finding = reading.finding(platform, known)
    found = finding.diagnosis
    questions = {m.name: m.question for m in platform.results.catalogue()}
    step = None if found is None else found.step_seconds
    tenant = known.tenant
    analyses = platform.results.of(known.id, tenant)
    tried = reading.tried(platform, known)
    asked_by_another = key not in (known.id, incident_name(known))
    return detail.IncidentDetailOut(
        incident=short(request, platform, known),
        changes=[wire.change(c) for c in sorted(known.changes, key=lambda c: c.onset_unix)],
        diagnosis=None
        if found is None
        else wire.diagnosis(known.id, found, reading.graph_version(platform, known)),
        analyses=[wire.analysis(a, questions, step) for a in analyses],
        alerts=[wire.alert(a) for a in platform.alerts.of(known.id, tenant)],
        change_events=[wire.change_event(e) for e in reading.done_around(platform, known)],
        merged_into=incident_name(known) if asked_by_another else None,
        groups=looking.groups(grouping.groups(known, found)),
        ruled_out=[looking.ruled_out(one) for one in grouping.cleared(known, found)],
        feedback=[judging.feedback(one) for one in platform.feedback.of(known.id, tenant)],
        suggestions=trying.suggestions(analyses, found, tried),
        outcomes=[trying.outcome(one) for one in tried],
        progress=underway.progress(platform, known) if finding.state == "pending" else None,
        related=_related(platform, known),
        runs=whereabouts(platform, known, found),
    )


def _related(platform: Platform, known: Incident) -> list[work.RelatedOut]:
    handling = known.handling
    ids = (*handling.absorbed, *handling.links)
    found = {s.incident.id: s for s in platform.incidents.summaries(ids, known.tenant)}
    return [
        work.related(found[i], "merged" if i in handling.absorbed else "linked")
        for i in ids
        if i in found
    ]


def short(request: Request, platform: Platform, incident: Incident) -> out.IncidentOut:
    """An incident as the list shows it."""
    (summary,) = platform.incidents.summaries((incident.id,), incident.tenant)
    return wire.incident(summary, platform.clock.now(), root(request))
