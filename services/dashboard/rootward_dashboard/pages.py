"""The pages: the web app, and the plain ones that need no script and print well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse

from rootward.errors import InvalidInput, NotFound
from rootward.model.access import Caller, Right
from rootward.model.incident import Status
from rootward.ports import Platform
from rootward_dashboard import assets, list_view, reading, rendering, report
from rootward_dashboard.access import Asking, needs, open_to_all
from rootward_dashboard.assets import Built
from rootward_dashboard.guard import NO_SCRIPTS, Guarded, readable

Endpoint = Callable[..., Response]
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_APP_ONLY = ("/methods", "/methods/{name}", "/status", "/access", "/explain/{id}")


def router(platform: Platform, app: Built | None) -> APIRouter:
    """The web app where it was built, the plain pages in its place where not, and static files."""
    plain = _Plain(platform)
    routes = APIRouter(route_class=Guarded, include_in_schema=False)
    shell = _Shell(app) if app else None
    elsewhere: Endpoint = shell.incidents if shell else _not_built
    pages: list[tuple[str, Endpoint]] = [
        ("/", shell.incidents if shell else plain.incidents),
        ("/incidents/{key}", shell.incident if shell else plain.incident),
        *((path, elsewhere) for path in _APP_ONLY),
        ("/report", plain.incidents),
        ("/incidents/{key}/report", plain.incident),
    ]
    for path, endpoint in pages:
        readable(routes, path, endpoint, dependencies=[needs(Right.READ)])
    readable(routes, "/static/{name:path}", _static, dependencies=[open_to_all()])
    readable(routes, "/favicon.ico", _favicon, dependencies=[open_to_all()])
    return routes


class _Shell:
    """The one page of the web app: it names the scripts, which do the rest."""

    def __init__(self, app: Built) -> None:
        self._app = app

    def incidents(self, request: Request) -> Response:
        """Every page that is not about one incident."""
        return self._page(request, "/report")

    def incident(self, request: Request, key: str) -> Response:
        """The page of an incident; whether there is one, the API says."""
        return self._page(request, f"/incidents/{quote(key, safe='')}/report")

    def _page(self, request: Request, plain: str) -> Response:
        return HTMLResponse(rendering.page(request, "app.html", app=self._app, plain=plain))


class _Plain:
    """The pages without scripts; each reads the platform and fills a template."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def incidents(
        self,
        request: Request,
        caller: Asking,
        status: Annotated[str, Query()] = "",
        service: Annotated[str, Query()] = "",
        cursor: Annotated[str | None, Query()] = None,
    ) -> Response:
        """The list of incidents, newest first."""
        query = list_view.Query(_status(status), service.strip(), cursor or None)
        view = list_view.list_view(self._platform, query, caller.tenant)
        return self._page(request, caller, "incidents.html", view=view, statuses=Status)

    def incident(self, request: Request, caller: Asking, key: str) -> Response:
        """Everything about one incident, to print or to keep."""
        incident = self._platform.incidents.get(key, caller.tenant)
        whole = report.contents(self._platform, incident)
        return self._page(request, caller, "report.html", **whole)

    def _page(self, request: Request, caller: Caller, template: str, **context: Any) -> Response:
        now = self._platform.clock.now()
        last = self._platform.samples.latest_unix(caller.tenant)
        stale = last is not None and now - last > reading.STALE_SECONDS
        fresh = {"now": now, "last_unix": last, "stale": stale}
        text = rendering.page(request, template, **fresh | context)
        return HTMLResponse(text, headers=NO_SCRIPTS)


def _status(text: str) -> Status | None:
    if text in ("", "all"):
        return None
    if text not in tuple(Status):
        raise InvalidInput(f"status is open, resolved or all, not {text!r}")
    return Status(text)


def _not_built() -> Response:
    raise NotFound(
        "this page belongs to the web app, which was not built here: run `make web`; "
        "/report lists the incidents, /api/v1 has everything as JSON"
    )


def _static(request: Request, name: str) -> Response:
    asset = assets.asset(name)
    headers = _FOREVER | {"Vary": "Accept-Encoding"}
    if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers |= {"Content-Encoding": "gzip"}
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _favicon(request: Request) -> Response:
    return _static(request, "favicon.svg")
