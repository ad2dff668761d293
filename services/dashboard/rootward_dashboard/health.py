"""Is it alive, is it ready, and its own metrics: for orchestrators and for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from rootward.errors import Unavailable
from rootward.ports import Platform
from rootward.telemetry import BUS_BACKLOG, JOBS_BACKLOG, exposition
from rootward_dashboard import reading
from rootward_dashboard.access import open_to_all
from rootward_dashboard.guard import Guarded, readable


def router(platform: Platform) -> APIRouter:
    """/livez, /readyz, their usual aliases, and /metrics."""
    routes = APIRouter(route_class=Guarded, include_in_schema=False, dependencies=[open_to_all()])

    def livez() -> Response:
        return PlainTextResponse("ok\n")

    def readyz() -> Response:
        checks = reading.checks(platform)
        ready = all(c.ok for c in checks)
        body = {
            "status": "ok" if ready else "unavailable",
            "checks": [{"name": c.name, "ok": c.ok, "reason": c.reason} for c in checks],
        }
        return JSONResponse(body, 200 if ready else 503)

    def metrics() -> Response:
        _measure_backlogs(platform)
        body, kind = exposition()
        return Response(body, media_type=kind)

    for path in ("/livez", "/healthz", "/-/healthy"):
        readable(routes, path, livez)
    for path in ("/readyz", "/-/ready"):
        readable(routes, path, readyz)
    readable(routes, "/metrics", metrics)
    return routes


def _measure_backlogs(platform: Platform) -> None:
    for gauge, backlog in (
        (BUS_BACKLOG, platform.bus.backlog),
        (JOBS_BACKLOG, platform.jobs.backlog),
    ):
        try:
            gauge.set(backlog())
        except Unavailable:
            gauge.set(float("nan"))
