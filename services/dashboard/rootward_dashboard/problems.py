"""Errors as answers: problem+json (RFC 9457) for the API, a page for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from rootward.errors import (
    Busy,
    Conflict,
    Forbidden,
    InsufficientData,
    InvalidInput,
    InvalidParameters,
    NotFound,
    Outdated,
    OverQuota,
    RootwardError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from rootward_dashboard import rendering
from rootward_dashboard.schemas import FieldError, ProblemOut

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True)
class Problem(Exception):
    """What went wrong, in a form that both API and pages can show."""

    status: int
    code: str
    """A stable word for programs."""
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


_KINDS: tuple[tuple[type[RootwardError], int, str, str], ...] = (
    (NotFound, 404, "not_found", "Not found"),
    (InvalidParameters, 422, "invalid_parameters", "Parameters that the method cannot take"),
    (TooLarge, 413, "too_large", "Too large"),
    (UnsupportedMedia, 415, "unsupported_media", "Media type not supported"),
    (InvalidInput, 400, "invalid_input", "Invalid input"),
    (Unauthenticated, 401, "unauthenticated", "Who is asking?"),
    (Forbidden, 403, "forbidden", "Not allowed"),
    (Outdated, 412, "outdated", "Changed since it was read"),
    (Conflict, 409, "conflict", "It does not go with how things stand"),
    (InsufficientData, 409, "insufficient_data", "Too little data"),
    (OverQuota, 429, "over_quota", "Too many"),
    (Busy, 503, "busy", "Busy"),
    (Unavailable, 503, "unavailable", "A part of the system does not answer"),
)
_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    400: ("unreadable_body", "Unreadable body", "The body is not JSON in UTF-8."),
    404: ("not_found", "Not found", "There is nothing at this address."),
    405: ("method_not_allowed", "Method not allowed", "This address does not take that method."),
}
_INTERNAL = Problem(
    500,
    "internal_error",
    "Something broke on our side",
    "The request failed in a way nobody planned for. The log of the service says where.",
)


def problem_of(error: Exception) -> Problem:
    """The problem that an error amounts to; an error of no known kind is `internal_error`."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid_request(error)
    if isinstance(error, HTTPException):
        return of_status(error.status_code, error.headers or {}, str(error.detail))
    for kind, status, code, title in _KINDS:
        if isinstance(error, kind):
            text = str(error).encode("utf-8", "backslashreplace").decode()
            return Problem(status, code, title, text, headers=_headers(error))
    return _INTERNAL


def of_status(status: int, headers: Mapping[str, str], detail: str = "") -> Problem:
    """The problem for a bare HTTP status, as the router raises it."""
    code, title, usual = _BY_STATUS.get(status, ("http_error", f"HTTP {status}", detail))
    return Problem(status, code, title, usual or detail, headers=headers)


def answer(request: Request, problem: Problem) -> Response:
    """Problem+json under /api and for machines, else a page; the login where that would help."""
    if problem.status == 401 and request.method == "GET" and not _for_machines(request):
        return _to_login(request)
    if _for_machines(request):
        return JSONResponse(
            document(request, problem).model_dump(mode="json", exclude_defaults=True),
            problem.status,
            dict(problem.headers),
            PROBLEM_JSON,
        )
    page = rendering.page(request, "error.html", problem=problem)
    return HTMLResponse(page, problem.status, dict(problem.headers))


def _to_login(request: Request) -> Response:
    root = request.scope.get("root_path", "")
    here = request.url.path.removeprefix(root)
    wanted = f"{here}?{request.url.query}" if request.url.query else here
    return RedirectResponse(f"{root}/login?{urlencode({'next': wanted})}", 303)


def document(request: Request, problem: Problem) -> ProblemOut:
    """The problem as the API writes it."""
    return ProblemOut(
        type=f"urn:rootward:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=request.url.path,
        code=problem.code,
        errors=list(problem.errors),
    )


def _for_machines(request: Request) -> bool:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    return path.startswith("/api/") or path == "/openapi.json"


def _invalid_request(error: RequestValidationError) -> Problem:
    errors = tuple(
        FieldError(
            parameter=str(e["loc"][-1]) if e["loc"][0] in ("query", "path", "header") else None,
            pointer=_pointer(e["loc"][1:]) if e["loc"][0] == "body" else None,
            detail=str(e["msg"]),
        )
        for e in error.errors()
    )
    detail = "; ".join(f"{e.parameter or e.pointer or 'body'}: {e.detail}" for e in errors)
    return Problem(422, "invalid_request", "Invalid request", detail, errors)


def _pointer(location: tuple[str | int, ...]) -> str:
    return "".join(f"/{part}" for part in location)


def _headers(error: RootwardError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="rootward"'}
    if isinstance(error, Busy | OverQuota):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_seconds)))}
    return {"Retry-After": "5"} if isinstance(error, Unavailable) else {}
