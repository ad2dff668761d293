"""Is it alive, is it ready, and its own metrics: for orchestrators and for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from rootward.errors import Unavailable
from rootward.ports import Platform
from rootward.telemetry import (
    BUS_BACKLOG,
    JOBS_BACKLOG,
    STORAGE_FREE,
    STORAGE_SIZE,
    STORAGE_USED,
    exposition,
)
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
        _measure_storage(platform)
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


def _measure_storage(platform: Platform) -> None:
    """The room of the database; what is not known now is not shown at all."""
    gauges = (STORAGE_USED, STORAGE_FREE, STORAGE_SIZE)
    for gauge in gauges:
        gauge.clear()
    if platform.storage is None:
        return
    try:
        room = platform.storage()
    except Unavailable:
        return
    told = (room.used_bytes, room.free_bytes, room.size_bytes)
    for gauge, value in zip(gauges, told, strict=True):
        if value is not None:
            gauge.labels(room.kind).set(value)
