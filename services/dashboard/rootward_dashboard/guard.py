"""What holds for every answer: errors become answers, security headers, HEAD, counting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from rootward.access.gate import Gate
from rootward.access.requests import SAFE_METHODS, address
from rootward.errors import Unavailable
from rootward.model.access import Caller, Outcome
from rootward.telemetry import HTTP_REQUESTS
from rootward_dashboard import problems

log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src {scripts}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MOST_TARGET = 256
"""Characters of an address that are written down."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
NO_SCRIPTS = {"Content-Security-Policy": _POLICY.format(scripts="'none'")}
"""For a page that must work without any script."""


def secured(response: Response) -> Response:
    """The answer with the security headers that it does not set itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(scripts="'self'"))
    response.headers.setdefault("Cache-Control", "no-cache")
    return response


class Guarded(APIRoute):
    """A route whose errors become answers and whose answers carry the security headers."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, guarded."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                response = await inner(request)
            except Exception as error:  # noqa: BLE001 the edge: logged and counted below
                response = failed(request, error)
            await _write_down(request, self.operation_id or self.name, response.status_code)
            HTTP_REQUESTS.labels(self.path_format, str(response.status_code)).inc()
            if request.method == "HEAD":
                response.body = b""
            return secured(response)

        return handle


def failed(request: Request, error: Exception) -> Response:
    """The answer to a request that raised; what nobody planned for is logged with traceback."""
    problem = problems.problem_of(error)
    if problem.code == "internal_error":
        log.error("request failed", exc_info=error, extra={"path": request.url.path})
    return problems.answer(request, problem)


def readable(router: APIRouter, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
    """Add a route that answers GET, and HEAD without a body."""
    router.add_api_route(path, endpoint, methods=["GET"], **options)
    hidden = {k: v for k, v in options.items() if k != "operation_id"}
    router.add_api_route(path, endpoint, methods=["HEAD"], **hidden | {"include_in_schema": False})


async def _write_down(request: Request, action: str, status: int) -> None:
    """An entry of the audit log for whatever somebody changed, or was kept from changing."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None or request.method in SAFE_METHODS:
        return
    gate: Gate = request.state.gate
    root = request.scope.get("root_path", "")
    done: Outcome = "done" if status < 400 else "refused" if status in (401, 403) else "failed"
    place = address(gate.policy, request)
    path = request.url.path.removeprefix(root)
    concerns = getattr(request.state, "concerns", "")  # where the path does not name it
    target = f"{path} {concerns}".rstrip()[:_MOST_TARGET]
    try:
        await run_in_threadpool(gate.note, caller, action, target, place, done, str(status))
    except Unavailable as error:
        log.error("audit entry lost", extra={"action": action, "reason": str(error)})
