"""The RCA API under /api/v1: incidents, diagnoses, analyses, methods, series, status."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from rootward import __version__
from rootward.errors import InvalidInput
from rootward.model.access import Right
from rootward.model.alert import AlertStatus
from rootward.model.incident import Incident, Status
from rootward.model.series import Series
from rootward.ports import Platform
from rootward_dashboard import answers, reading, wire
from rootward_dashboard import schemas as out
from rootward_dashboard.access import needs
from rootward_dashboard.figures import instant
from rootward_dashboard.guard import Guarded, readable
from rootward_dashboard.names import incident_key
from rootward_dashboard.problems import PROBLEM_JSON, Problem
from rootward_dashboard.reading import TENANT

PREFIX = "/api/v1"
Limit = Annotated[int, Query(ge=1, le=500, description="Most items of a page.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]
Service = Annotated[str | None, Query(description="Only of this service.")]


def router(platform: Platform) -> APIRouter:
    """The routes of the API."""
    api = _Api(platform)
    reads = [needs(Right.READ)]
    routes = APIRouter(prefix=PREFIX, route_class=Guarded, tags=["rca"], dependencies=reads)
    for path, endpoint, name, model in (
        ("/incidents", api.incidents, "list_incidents", out.IncidentPageOut),
        ("/incidents/{key}", api.incident, "get_incident", answers.IncidentDetailOut),
        ("/incidents/{key}/diagnosis", api.diagnosis, "get_diagnosis", out.DiagnosisOut),
        ("/methods", api.methods, "list_methods", answers.MethodsOut),
        ("/series", api.series, "list_series", out.SeriesPageOut),
        ("/alerts", api.alerts, "list_alerts", out.AlertPageOut),
        ("/changes", api.change_events, "list_changes", out.ChangeEventPageOut),
        ("/status", api.status, "get_status", out.StatusOut),
    ):
        known = _problems(404, 422, 503) if "{key}" in path else _problems(400, 422, 503)
        readable(routes, path, endpoint, operation_id=name, response_model=model, responses=known)
    for path, start, name in (
        ("/incidents/{key}/diagnose", api.diagnose, "diagnose_incident"),
        ("/incidents/{key}/analyses", api.analyse, "analyse_incident"),
    ):
        routes.add_api_route(
            path,
            start,
            methods=["POST"],
            status_code=202,
            operation_id=name,
            response_model=out.QueuedOut,
            responses=_problems(403, 404, 422, 503),
            dependencies=[needs(Right.RESPOND)],
        )
    return routes


class _Api:
    """The endpoints; each reads the platform and answers with a wire type."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def incidents(
        self,
        request: Request,
        response: Response,
        status: Annotated[Status | None, Query(description="Only these.")] = None,
        service: Service = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.IncidentPageOut:
        """Incidents, newest first, page by page."""
        page = self._platform.incidents.page(
            TENANT, status=status, service=service, limit=limit, cursor=cursor
        )
        _link_next(request, response, page.next_cursor)
        return out.IncidentPageOut(
            items=[self._short(request, i) for i in page.items], next_cursor=page.next_cursor
        )

    def incident(self, request: Request, key: str) -> answers.IncidentDetailOut:
        """An incident by id or by name (`INC-7`), with diagnosis and analyses."""
        incident = self._platform.incidents.get(key, TENANT)
        found = reading.finding(self._platform, incident).diagnosis
        questions = {m.name: m.question for m in self._platform.results.catalogue()}
        analyses = self._platform.results.of(incident.id, TENANT)
        step = None if found is None else found.step_seconds
        return answers.IncidentDetailOut(
            incident=self._short(request, incident),
            changes=[wire.change(c) for c in sorted(incident.changes, key=lambda c: c.onset_unix)],
            diagnosis=None if found is None else wire.diagnosis(incident.id, found),
            analyses=[wire.analysis(a, questions, step) for a in analyses],
            alerts=[wire.alert(a) for a in self._platform.alerts.of(incident.id, TENANT)],
            change_events=[
                wire.change_event(e) for e in reading.done_around(self._platform, incident)
            ],
        )

    def diagnosis(self, key: str) -> out.DiagnosisOut:
        """The diagnosis of an incident; while there is none, a 404 whose code says why."""
        incident = self._platform.incidents.get(key, TENANT)
        finding = reading.finding(self._platform, incident)
        if finding.diagnosis is not None:
            return wire.diagnosis(incident.id, finding.diagnosis)
        if finding.state == "failed":
            raise Problem(404, "diagnosis_failed", "The diagnosis failed", finding.reason)
        raise Problem(
            404, "diagnosis_pending", "No diagnosis yet", "The diagnosis is queued or running."
        )

    def diagnose(self, request: Request, response: Response, key: str) -> out.QueuedOut:
        """Diagnose an incident (again); the outcome replaces the last diagnosis."""
        incident = self._platform.incidents.get(key, TENANT)
        self._platform.jobs.submit("diagnose", incident_id=incident.id, tenant=TENANT)
        return _queued(response, "diagnose", incident, _url(request, incident) + "/diagnosis")

    def analyse(
        self, request: Request, response: Response, key: str, wanted: answers.AnalysisIn
    ) -> out.QueuedOut:
        """Run a method of the catalogue on an incident."""
        incident = self._platform.incidents.get(key, TENANT)
        entry = reading.methods(self._platform).get(wanted.method)
        if entry is None:
            raise Problem(
                422,
                "unknown_method",
                "No such method",
                f"There is no method {wanted.method!r}; GET {PREFIX}/methods lists them.",
                (out.FieldError(pointer="/method", detail="not in the catalogue"),),
            )
        reading.checked_parameters(entry, wanted.params)
        self._platform.jobs.submit(
            "analyse",
            incident_id=incident.id,
            method=wanted.method,
            params=wanted.params,
            tenant=TENANT,
        )
        return _queued(response, "analyse", incident, _url(request, incident))

    def methods(self) -> answers.MethodsOut:
        """Every method: what it says about itself, and why no worker can run it if none can."""
        return answers.MethodsOut(
            items=[wire.method(m) for m in self._platform.results.catalogue()]
        )

    def series(
        self,
        request: Request,
        response: Response,
        service: Service = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> out.SeriesPageOut:
        """Known series with the time of their last sample, by metric, then labels."""
        every = self._platform.samples.series(TENANT)
        known = [i for i in every if service in (None, i.series.service)]
        start = 0
        if cursor is not None:
            start = bisect_right(known, _from_cursor(cursor), key=lambda i: i.series)
        items = known[start : start + limit]
        more = _to_cursor(items[-1].series) if start + limit < len(known) else None
        _link_next(request, response, more)
        return out.SeriesPageOut(
            items=[wire.known_series(i) for i in items], next_cursor=more, total=len(known)
        )

    def alerts(
        self,
        request: Request,
        response: Response,
        status: Annotated[AlertStatus | None, Query(description="Only these.")] = None,
        service: Service = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.AlertPageOut:
        """Alerts, the last that came first, page by page."""
        page = self._platform.alerts.page(
            TENANT, status=status, service=service, limit=limit, cursor=cursor
        )
        _link_next(request, response, page.next_cursor)
        items = [wire.alert(one) for one in page.items]
        return out.AlertPageOut(items=items, next_cursor=page.next_cursor)

    def change_events(
        self,
        request: Request,
        response: Response,
        service: Service = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.ChangeEventPageOut:
        """What was done to the system, the last that came first, page by page."""
        page = self._platform.change_events.page(
            TENANT, service=service, limit=limit, cursor=cursor
        )
        _link_next(request, response, page.next_cursor)
        items = [wire.change_event(one) for one in page.items]
        return out.ChangeEventPageOut(items=items, next_cursor=page.next_cursor)

    def status(self) -> out.StatusOut:
        """What comes in, how fresh it is, what waits, and whether every part answers."""
        view = reading.overview(self._platform)
        last = view.last_unix
        return out.StatusOut(
            version=__version__,
            at=instant(view.now),
            series=view.series,
            services=[
                out.ServiceOut(
                    service=i.service,
                    series=i.series,
                    last_at=instant(i.last_unix),
                    last_unix=i.last_unix,
                    age_seconds=max(0.0, view.now - i.last_unix),
                )
                for i in view.inflows
            ],
            last_sample_at=None if last is None else instant(last),
            last_sample_unix=last,
            last_sample_age_seconds=None if last is None else max(0.0, view.now - last),
            bus_backlog=view.bus_backlog,
            jobs_backlog=view.jobs_backlog,
            open_incidents=view.open_incidents,
            methods=view.methods,
            checks=[out.CheckOut(name=c.name, ok=c.ok, reason=c.reason) for c in view.checks],
        )

    def _short(self, request: Request, incident: Incident) -> out.IncidentOut:
        finding = reading.finding(self._platform, incident)
        now = self._platform.clock.now()
        return wire.incident(incident, finding, now, request.scope.get("root_path", ""))


def _queued(response: Response, job: str, incident: Incident, url: str) -> out.QueuedOut:
    response.headers["Location"] = url
    return out.QueuedOut(job=job, incident_id=incident.id, url=url)


def _url(request: Request, incident: Incident) -> str:
    return f"{request.scope.get('root_path', '')}{PREFIX}/incidents/{incident_key(incident)}"


def _link_next(request: Request, response: Response, cursor: str | None) -> None:
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def _to_cursor(series: Series) -> str:
    text = json.dumps([series.metric, series.labels])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> Series:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        metric, labels = json.loads(text)
        return Series(str(metric), tuple((str(name), str(value)) for name, value in labels))
    except (binascii.Error, ValueError, TypeError, InvalidInput) as error:
        raise InvalidInput("cursor is not one of ours; start again without it") from error


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {400: "Invalid input", 403: "Refused", 404: "Not found", 422: "Invalid request",
             503: "Busy, or a part does not answer; see Retry-After"}  # fmt: skip
    content = {PROBLEM_JSON: {"schema": _problem_schema()}}
    return {s: {"description": words[s], "content": content} for s in statuses}


def _problem_schema() -> dict[str, Any]:
    """The schema in one piece: references would point outside of the OpenAPI document."""
    schema = out.ProblemOut.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldError"]
    return schema
