"""What holds for every answer: errors become answers, security headers, HEAD, counting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from rootward.telemetry import HTTP_REQUESTS
from rootward_dashboard import problems

log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src {scripts}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
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
                _refuse_other_sites(request)
                response = await inner(request)
            except Exception as error:  # noqa: BLE001 the edge: logged and counted below
                response = failed(request, error)
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


def _refuse_other_sites(request: Request) -> None:
    """A form on a foreign page must not start work here; browsers say where a POST is from."""
    origin = request.headers.get("sec-fetch-site", "none")
    if request.method not in ("GET", "HEAD") and origin not in ("none", "same-origin"):
        raise problems.Problem(
            403, "cross_site", "Refused", "Requests that change something must come from this site."
        )
