"""Ingest over HTTP: the intake routes, alone or as part of a larger app."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from rootward import __version__
from rootward.access.gate import Gate, open_gate
from rootward.model.access import Right
from rootward.ports import Platform
from rootward_ingest.alerts import Alerts
from rootward_ingest.changes import Changes
from rootward_ingest.desk import Desk, Needs
from rootward_ingest.experiments import Experiments
from rootward_ingest.health import health_router
from rootward_ingest.intake import Intake, Limits
from rootward_ingest.otlp import Otlp
from rootward_ingest.remote_write import RemoteWrite
from rootward_ingest.samples import Samples


def create_app(
    platform: Platform, limits: Limits, *, intake: Intake | None = None, gate: Gate | None = None
) -> FastAPI:
    """Ingest as a program of its own: intake, health and /metrics.

    It is ready when the bus takes samples: a sample store that is down only delays the detectors,
    as the bus keeps what comes in.
    """
    app = FastAPI(
        title="Rootward ingest",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.include_router(router(platform, limits, intake=intake, gate=gate))
    checks = {"bus": platform.bus.backlog, "samples": platform.samples.check}
    app.include_router(health_router(checks, needed=("bus",)))
    return app


def router(
    platform: Platform, limits: Limits, *, intake: Intake | None = None, gate: Gate | None = None
) -> APIRouter:
    """The intake routes alone, for an app that has its own health and metrics.

    Without a gate anyone may send. Pass the `intake` that a scraper of the same process uses, so
    that both count the same series.
    """
    routes = APIRouter(tags=["intake"], dependencies=[Depends(Needs(Right.INGEST))])
    shared = intake or Intake(platform, limits)
    desk = Desk(limits, platform.quarantine, shared.tenants, gate or open_gate(platform))
    remote_write, samples, otlp = RemoteWrite(shared), Samples(shared), Otlp(shared)
    alerts, changes = Alerts(platform, shared), Changes(platform, limits)
    experiments = Experiments(platform, limits)

    @routes.post("/api/v1/write", response_model=None, status_code=204)
    @routes.post("/api/v1/push", response_model=None, status_code=204)
    async def write(request: Request) -> Response:
        """Take a Prometheus remote write request, version 1.0 or 2.0."""
        return await desk.handle(request, remote_write.route(request.headers))

    @routes.post("/api/v1/samples", response_model=None)
    async def take_samples(request: Request) -> Response:
        """Take samples in JSON."""
        return await desk.handle(request, samples)

    @routes.post("/v1/metrics", response_model=None)
    @routes.post("/api/v1/otlp/v1/metrics", response_model=None)
    async def export(request: Request) -> Response:
        """Take metrics of OpenTelemetry, in protobuf or JSON."""
        return await desk.handle(request, otlp.route(request.headers))

    @routes.post("/api/v1/alerts", response_model=None)
    async def take_alerts(request: Request) -> Response:
        """Take a notification of Alertmanager."""
        return await desk.handle(request, alerts)

    @routes.post("/api/v1/changes", response_model=None)
    async def take_changes(request: Request) -> Response:
        """Take deploys, configuration changes and scalings as CloudEvents."""
        return await desk.handle(request, changes)

    @routes.post("/api/v1/experiments", response_model=None)
    async def take_experiment(request: Request) -> Response:
        """Take who got a rollout and what came of it."""
        return await desk.handle(request, experiments)

    return routes
