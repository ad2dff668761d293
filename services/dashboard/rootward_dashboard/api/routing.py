"""What the routes of the API share: documents of errors, pages, versions, keys of requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from rootward.access.gate import Gate
from rootward.errors import InvalidInput, RootwardError
from rootward.model.access import Right
from rootward.model.reply import Reply
from rootward.ports import Platform
from rootward_dashboard import guard
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Needs, Threshold, asking, needs
from rootward_dashboard.guard import Guarded
from rootward_dashboard.problems import PROBLEM_JSON, Problem

PREFIX = "/api/v1"
LONGEST_KEY = 128
Limit = Annotated[int, Query(ge=1, le=500, description="Most items of a page.")]
Cursor = Annotated[str | None, Query(description="The `next_cursor` of the page before.")]
Service = Annotated[str | None, Query(description="Only of this service.")]
IfMatch = Annotated[
    str | None,
    Header(description="The ETag that was read, or `*`; 412 where it has changed since."),
]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_WORDS = {
    400: "Invalid input",
    401: "It is not known who is asking",
    403: "Refused",
    404: "Not found",
    409: "It does not go with how things stand",
    412: "It was changed since it was read",
    422: "Invalid request",
    428: "If-Match is missing",
    503: "Busy, or a part does not answer; see Retry-After",
}


def get(
    routes: APIRouter,
    path: str,
    endpoint: Callable[..., Any],
    name: str,
    model: Any,
    *,
    right: Right = Right.READ,
) -> None:
    """Add a route that reads; it answers HEAD as well."""
    known = (404,) if "{" in path else ()
    options = {
        "response_model": model,
        "responses": problems(400, 401, 403, *known, 422, 503),
        "dependencies": [needs(right)],
    }
    routes.add_api_route(path, endpoint, methods=["GET"], operation_id=name, **options)
    routes.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False, **options)


def change(
    routes: APIRouter,
    path: str,
    endpoint: Callable[..., Any],
    name: str,
    model: Any,
    *,
    method: str = "POST",
    status: int = 200,
    right: Right = Right.RESPOND,
    also: tuple[int, ...] = (),
) -> None:
    """Add a route that changes something; a POST on a keyed router takes an Idempotency-Key.

    `also` are the errors that it alone answers with.
    """
    is_keyed = method == "POST" and routes.route_class is not Guarded
    routes.add_api_route(
        path,
        endpoint,
        methods=[method],
        status_code=status,
        operation_id=name,
        response_model=model,
        responses=problems(400, 401, 403, 404, 409, 412, 422, *also, 503),
        dependencies=[needs(right)],
        openapi_extra={"parameters": [_KEY]} if is_keyed else None,
    )


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
    "description": "A request that is sent again under its key is done once, for a day.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the document says of these errors."""
    content = {PROBLEM_JSON: {"schema": _problem_schema()}}
    return {s: {"description": _WORDS[s], "content": content} for s in statuses}


def _problem_schema() -> dict[str, Any]:
    """The schema in one piece: references would point outside of the OpenAPI document."""
    schema = out.ProblemOut.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")["FieldError"]
    return schema


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Point to the next page, if there is one."""
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def root(request: Request) -> str:
    """The path that the app is mounted at."""
    return str(request.scope.get("root_path", ""))


def etag(version: int) -> str:
    """The version of an incident as a header."""
    return f'"{version}"'


def version_of(if_match: str | None) -> int | None:
    """The version that a request is meant for; None for any.

    Raises:
        InvalidInput: not an ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    inner = if_match.strip().removeprefix('"').removesuffix('"')
    if not (inner.isascii() and inner.isdigit() and len(inner) < 10 and if_match.count('"') == 2):
        raise InvalidInput("If-Match holds no ETag of ours; read the incident again")
    return int(inner)


def required(if_match: str | None) -> int | None:
    """The same, for a request that must say it."""
    if if_match is None:
        raise Problem(
            428,
            "precondition_required",
            "If-Match is missing",
            "Send the ETag that was read as If-Match, so that no other change is overwritten.",
        )
    return version_of(if_match)


def keyed(platform: Platform, gate: Gate) -> type[APIRoute]:
    """A guarded route that answers a request again where its Idempotency-Key is known.

    Who is asking must be known, and may respond, before an earlier answer is given again.
    """
    admissions = (Threshold(gate), Needs(Right.RESPOND))

    class Keyed(Guarded):
        def get_route_handler(self) -> Handler:
            inner = super().get_route_handler()

            async def handle(request: Request) -> Response:
                key = request.headers.get("idempotency-key")
                if key is None or request.method != "POST":
                    return await inner(request)
                try:
                    for admit in admissions:
                        await admit(request)
                    return await _answered_once(platform, request, key, inner)
                except (RootwardError, Problem) as error:
                    return guard.secured(guard.failed(request, error))

            return handle

    return Keyed


async def _answered_once(
    platform: Platform, request: Request, key: str, inner: Handler
) -> Response:
    if not (0 < len(key) <= LONGEST_KEY):
        raise InvalidInput(f"an Idempotency-Key has 1 to {LONGEST_KEY} characters")
    caller = asking(request)
    own = f"{caller.name}:{key}"
    kept = await run_in_threadpool(
        platform.replies.begin, own, await _digest(request), caller.tenant
    )
    if kept is not None:
        headers = {**dict(kept.headers), "Idempotency-Replayed": "true"}
        return guard.secured(Response(kept.body, kept.status, headers))
    reply = None
    try:
        with platform.replies.marked(own, caller.tenant):
            response = await inner(request)
        reply = _reply(response)
    finally:
        await run_in_threadpool(platform.replies.end, own, reply, caller.tenant)
    return response


async def _digest(request: Request) -> str:
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(said + await request.body()).hexdigest()


def _reply(response: Response) -> Reply | None:
    """What is given again: success alone, since an error may pass."""
    if not 200 <= response.status_code < 300:
        return None
    kept: Mapping[str, str] = {
        k: v for k, v in response.headers.items() if k in ("content-type", "location", "etag")
    }
    return Reply(response.status_code, tuple(kept.items()), bytes(response.body).decode())
