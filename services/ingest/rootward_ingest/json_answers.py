"""What the routes that take JSON have in common: the type they want and how they refuse."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.datastructures import Headers

from rootward.errors import UnreadableBody, UnsupportedMedia
from rootward_ingest.desk import UNAVAILABLE_RETRY_SECONDS, Problem

JSON = "application/json"
_TOLD = 5
"""Wrong places of a body that an answer names."""


def media_of(headers: Headers) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def require_plain(headers: Headers, *allowed: str) -> None:
    """Raise UnsupportedMedia unless the headers announce one of these types, not compressed."""
    media = media_of(headers)
    if media not in allowed:
        told = " or ".join(allowed)
        raise UnsupportedMedia(f"Content-Type is {media or 'missing'!r}, not {told}")
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMedia(f"Content-Encoding is {encoding!r}; send the body plain")


def problem_answer(problem: Problem, more: Mapping[str, object] | None = None) -> JSONResponse:
    """Problem details after RFC 9457."""
    content = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    return JSONResponse(
        content | dict(more or {}), problem.status, problem.headers, "application/problem+json"
    )


def to_try_again(problem: Problem) -> Problem:
    """The same for senders that try again upon 5xx alone: 503 where a body came too slowly."""
    if problem.status != 408:
        return problem
    return Problem(503, problem.title, problem.detail, UNAVAILABLE_RETRY_SECONDS)


def unreadable(error: ValidationError, expected: str) -> UnreadableBody:
    """What is wrong with a body, with JSON pointers, and what was expected."""
    places = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"/{'/'.join(map(str, one['loc']))}: {one['msg']}" for one in places[:_TOLD]]
    more = f" and {len(places) - _TOLD} more" if len(places) > _TOLD else ""
    return UnreadableBody(f"{'; '.join(told)}{more}; expected {expected}")
