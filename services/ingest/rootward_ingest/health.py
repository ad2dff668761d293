"""Liveness, readiness and our own metrics, as ingest serves them when it runs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from rootward import telemetry
from rootward.errors import Busy, Unavailable
from rootward.ports import Platform


def health_router(platform: Platform) -> APIRouter:
    """/livez, /readyz, their aliases, and /metrics.

    Ready means that the bus takes samples: a sample store that is down is shown by `?verbose`,
    but only delays the worker, as the bus keeps what comes in.
    """
    router = APIRouter(include_in_schema=False)
    checks: Mapping[str, Callable[[], object]] = {
        "bus": platform.bus.backlog,
        "samples": platform.samples.check,
    }

    async def live() -> Response:
        return PlainTextResponse("ok\n")

    def ready(verbose: str | None = None) -> Response:
        failures = {name: _failure(check) for name, check in checks.items()}
        lines = [f"[{'-' if why else '+'}] {name} {why or 'ok'}" for name, why in failures.items()]
        broken = failures["bus"] is not None
        lines.append("not ready" if broken else "ok")
        shown = lines if verbose is not None or broken else lines[-1:]
        return PlainTextResponse("\n".join(shown) + "\n", 503 if broken else 200)

    def metrics() -> Response:
        body, media = telemetry.exposition()
        return Response(body, media_type=media)

    for paths, handler in (
        (("/livez", "/healthz", "/-/healthy"), live),
        (("/readyz", "/-/ready"), ready),
        (("/metrics",), metrics),
    ):
        for path in paths:
            router.add_api_route(path, handler, methods=["GET", "HEAD"], response_model=None)
    return router


def _failure(check: Callable[[], object]) -> str | None:
    try:
        check()
    except (Busy, Unavailable) as error:
        return str(error) or type(error).__name__
    return None
