"""The dashboard as an app: RCA API, pages, health, error pages."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rootward import __version__
from rootward.access.gate import Gate, open_gate
from rootward.errors import RootwardError
from rootward.ports import Platform
from rootward_dashboard import api, assets, guard, health, login, pages, problems
from rootward_dashboard.access import Threshold, open_to_all
from rootward_dashboard.assets import Built

_DESCRIPTION = """Root-cause analysis for microservices: incidents, ranked causes with evidence,
the causal graph behind them, and every method that can be run on them.

Times are RFC 3339 in UTC, and Unix seconds in fields that end in `_unix`. Errors are
`application/problem+json` (RFC 9457) with a stable `code`."""

_MOST_BODY = 2**20
"""Bytes of a request; what is larger is intake, which has limits of its own."""


def create_app(
    platform: Platform, web: Built | None = assets.BUILT, *, gate: Gate | None = None
) -> FastAPI:
    """The whole service; other routers may be included beside it. Without a gate it is open."""
    app = FastAPI(
        title="Rootward",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=None,
        redirect_slashes=False,  # it would lead to http, and credentials with it
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.include_router(router(platform, web, gate=gate))
    app.add_exception_handler(HTTPException, _bare)
    for kind in (RootwardError, RequestValidationError):
        app.add_exception_handler(kind, _failed)
    return app


def router(
    platform: Platform, web: Built | None = assets.BUILT, *, gate: Gate | None = None
) -> APIRouter:
    """All routes of the dashboard; they bring their own error answers and security headers."""
    known = gate or open_gate(platform)
    routes = APIRouter(dependencies=[Depends(Threshold(known))], max_body_size=_MOST_BODY)
    for part in (api.router(platform, known), pages.router(platform, web), health.router(platform)):
        routes.include_router(part)
    for part in (_description(), login.router(known)):
        routes.include_router(part)
    return routes


def _description() -> APIRouter:
    """/openapi.json, which says no more than what anyone can read in our sources."""
    routes = APIRouter(
        route_class=guard.Guarded, include_in_schema=False, dependencies=[open_to_all()]
    )

    def openapi(request: Request) -> Response:
        return JSONResponse(request.app.openapi())

    guard.readable(routes, "/openapi.json", openapi)
    return routes


async def _bare(request: Request, error: Exception) -> Response:
    """An address or a method that no route has."""
    if not isinstance(error, HTTPException):
        raise error
    problem = problems.of_status(error.status_code, error.headers or {}, error.detail)
    return guard.secured(problems.answer(request, problem))


async def _failed(request: Request, error: Exception) -> Response:
    """An error of a route that another router brought."""
    return guard.secured(guard.failed(request, error))
