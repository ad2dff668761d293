"""Liveness, readiness and our own metrics, as a service shows them that has no pages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from rootward import telemetry
from rootward.errors import Busy, Unavailable

Check = Callable[[], object]
"""Raises Unavailable, or Busy, where a part does not answer."""


def health_router(checks: Mapping[str, Check], *, needed: Collection[str]) -> APIRouter:
    """/livez, /readyz, their aliases, and /metrics.

    Ready means that every part that is `needed` answers; another one is shown by `?verbose`.
    """
    router = APIRouter(include_in_schema=False)

    async def live() -> Response:
        return PlainTextResponse("ok\n")

    def ready(verbose: str | None = None) -> Response:
        failures = {name: _failure(check) for name, check in checks.items()}
        lines = [f"[{'-' if why else '+'}] {name} {why or 'ok'}" for name, why in failures.items()]
        broken = any(failures[name] is not None for name in needed)
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


def _failure(check: Check) -> str | None:
    try:
        check()
    except (Busy, Unavailable) as error:
        return str(error) or type(error).__name__
    return None
