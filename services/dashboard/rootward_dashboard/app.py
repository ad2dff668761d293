"""The dashboard as an app: RCA API, pages, health, error pages."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from rootward import __version__
from rootward.errors import RootwardError
from rootward.ports import Platform
from rootward_dashboard import api, assets, guard, health, pages, problems
from rootward_dashboard.assets import Built

_DESCRIPTION = """Root-cause analysis for microservices: incidents, ranked causes with evidence,
the causal graph behind them, and every method that can be run on them.

Times are RFC 3339 in UTC, and Unix seconds in fields that end in `_unix`. Errors are
`application/problem+json` (RFC 9457) with a stable `code`."""


def create_app(platform: Platform, web: Built | None = assets.BUILT) -> FastAPI:
    """The whole service; other routers may be included beside it."""
    app = FastAPI(
        title="Rootward",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.include_router(router(platform, web))
    app.add_exception_handler(HTTPException, _bare)
    for kind in (RootwardError, RequestValidationError):
        app.add_exception_handler(kind, _failed)
    return app


def router(platform: Platform, web: Built | None = assets.BUILT) -> APIRouter:
    """All routes of the dashboard; they bring their own error answers and security headers."""
    routes = APIRouter()
    for part in (api.router(platform), pages.router(platform, web), health.router(platform)):
        routes.include_router(part)
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
