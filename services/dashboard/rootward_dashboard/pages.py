"""The pages: incidents, one incident, its report, methods, status."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from rootward.errors import InvalidInput, NotFound
from rootward.model.access import Right
from rootward.model.incident import Incident, Status
from rootward.ports import Platform
from rootward_dashboard import assets, list_view, reading, rendering, slots_view
from rootward_dashboard.access import needs, open_to_all
from rootward_dashboard.blocks_view import analysis_view
from rootward_dashboard.guard import NO_SCRIPTS, Guarded, readable
from rootward_dashboard.incident_view import incident_view
from rootward_dashboard.names import incident_key, incident_name
from rootward_dashboard.reading import TENANT

_REFRESH_SECONDS = 3
_WAITING_SECONDS = 10
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FORM_BYTES = 4096


def router(platform: Platform) -> APIRouter:
    """The pages, the forms on them, and their static files."""
    pages = _Pages(platform)
    routes = APIRouter(route_class=Guarded, include_in_schema=False)
    for path, endpoint in (
        ("/", pages.incidents),
        ("/incidents/{key}", pages.incident),
        ("/incidents/{key}/report", pages.report),
        ("/methods", pages.methods),
        ("/status", pages.status),
    ):
        readable(routes, path, endpoint, dependencies=[needs(Right.READ)])
    readable(routes, "/static/{name}", _static, dependencies=[open_to_all()])
    readable(routes, "/favicon.ico", _favicon, dependencies=[open_to_all()])
    for path, start in (
        ("/incidents/{key}/diagnose", pages.diagnose),
        ("/incidents/{key}/analyses", pages.analyse),
    ):
        routes.add_api_route(path, start, methods=["POST"], dependencies=[needs(Right.RESPOND)])
    return routes


class _Pages:
    """The endpoints; each reads the platform and fills a template."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def incidents(
        self,
        request: Request,
        status: Annotated[str, Query()] = "",
        service: Annotated[str, Query()] = "",
        cursor: Annotated[str | None, Query()] = None,
    ) -> Response:
        """The list of incidents, newest first."""
        query = list_view.Query(_status(status), service.strip(), cursor or None)
        view = list_view.list_view(self._platform, query)
        refresh = _WAITING_SECONDS if view.last_unix is None and not view.rows else None
        return self._page(request, "incidents.html", view=view, refresh=refresh, statuses=Status)

    def incident(
        self, request: Request, key: str, queued: Annotated[str, Query()] = ""
    ) -> Response:
        """The page of one incident."""
        context = self._context(key)
        working = bool(queued) and self._platform.jobs.backlog() > 0
        pending = context["view"].finding.state == "pending"
        return self._page(
            request,
            "incident.html",
            **context,
            queued=queued if working else "",
            refresh=_REFRESH_SECONDS if working or pending or context["running"] else None,
        )

    def report(self, request: Request, key: str) -> Response:
        """The same as one page to print or to keep, without navigation and without scripts."""
        page = self._page(request, "report.html", **self._context(key), refresh=None, queued="")
        page.headers.update(NO_SCRIPTS)
        return page

    def methods(self, request: Request) -> Response:
        """What the workers can run."""
        entries = self._platform.results.catalogue()
        return self._page(request, "methods.html", methods=entries, refresh=None)

    def status(self, request: Request) -> Response:
        """What comes in, how fresh it is, what waits."""
        view = reading.overview(self._platform)
        return self._page(
            request, "status.html", view=view, stale_seconds=reading.STALE_SECONDS, refresh=None
        )

    def diagnose(self, request: Request, key: str) -> Response:
        """Diagnose again, then show the incident."""
        incident = self._platform.incidents.get(key, TENANT)
        self._platform.jobs.submit("diagnose", incident_id=incident.id, tenant=TENANT)
        return _back(request, incident, "?queued=diagnose")

    async def analyse(self, request: Request, key: str) -> Response:
        """Run the method that the form names, then show the incident."""
        body = await request.body()
        if len(body) > _FORM_BYTES:
            raise InvalidInput("the form is too long")
        form = parse_qs(body.decode("utf-8", "replace"))
        incident = await run_in_threadpool(self._submit, key, form.get("method", [""])[0])
        place = form.get("at", [""])[0]
        at = f"at-{place}" if place in slots_view.TITLES else "analyses"
        return _back(request, incident, f"?queued=analyse#{at}")

    def _submit(self, key: str, method: str) -> Incident:
        incident = self._platform.incidents.get(key, TENANT)
        if method not in reading.methods(self._platform):
            raise NotFound(f"there is no method {method!r}")
        self._platform.jobs.submit(
            "analyse", incident_id=incident.id, method=method, params={}, tenant=TENANT
        )
        return incident

    def _context(self, key: str) -> dict[str, Any]:
        incident = self._platform.incidents.get(key, TENANT)
        entries = reading.methods(self._platform)
        finding = reading.whole_finding(self._platform, incident)
        step = finding.diagnosis.step_seconds if finding.diagnosis else None
        analyses = [
            analysis_view(a, entries.get(a.method), step)
            for a in self._platform.results.of(incident.id, TENANT)
        ]
        return {
            "view": incident_view(incident, finding, self._platform.clock.now()),
            "alerts": self._platform.alerts.of(incident.id, TENANT),
            "done": reading.done_around(self._platform, incident),
            "key": incident_key(incident),
            "name": incident_name(incident),
            "slots": slots_view.slots(analyses, entries),
            "running": any(a.analysis.status == "running" for a in analyses),
        }

    def _page(self, request: Request, template: str, **context: Any) -> Response:
        now = self._platform.clock.now()
        last = self._platform.samples.latest_unix(TENANT)
        stale = last is not None and now - last > reading.STALE_SECONDS
        fresh = {"now": now, "last_unix": last, "stale": stale}
        return HTMLResponse(rendering.page(request, template, **fresh | context))


def _status(text: str) -> Status | None:
    if text in ("", "all"):
        return None
    if text not in tuple(Status):
        raise InvalidInput(f"status is open, resolved or all, not {text!r}")
    return Status(text)


def _back(request: Request, incident: Incident, suffix: str) -> Response:
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/incidents/{incident_key(incident)}{suffix}", 303)


def _static(name: str) -> Response:
    asset = assets.asset(name)
    return Response(asset.body, media_type=asset.media_type, headers=_FOREVER)


def _favicon() -> Response:
    return _static("favicon.svg")
