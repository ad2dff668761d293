"""The stream of events: what happens, as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from rootward.access.gate import Gate
from rootward.access.requests import asked_by
from rootward.errors import InvalidInput
from rootward.model.access import Right
from rootward.ports import Platform
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import problems
from rootward_dashboard.stream import Streams, stream

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE = (
    'id: 42\nevent: incident\ndata: {"incident_id":"0f3c9a5e7d1b","at_unix":1789999440.0,'
    '"action":"acknowledged","actor":"kim","version":2}\n\n'
)


def add(routes: APIRouter, platform: Platform) -> None:
    """Server-sent events."""
    streams = Streams()

    async def events(
        request: Request,
        caller: Asking,
        incident: Annotated[str, Query(description="Only of this incident.")] = "",
        after: Annotated[
            str | None, Query(description="Only what came behind this id; else from now on.")
        ] = None,
        last_event_id: Annotated[
            str | None, Header(description="The same, as browsers send it when they come back.")
        ] = None,
    ) -> StreamingResponse:
        """Events as they happen: `incident` (its log), `diagnosis` (its steps), `analysis`.

        `reset` says that too much was missed: read everything again. The stream ends soon after
        the login or the token does.
        """
        last_id = _number(last_event_id or after)
        only = ""
        if incident:
            known = await run_in_threadpool(platform.incidents.get, incident, caller.tenant)
            only = known.id
        streams.enter()
        closing = getattr(request.app.state, "closing", None)
        gate: Gate = request.state.gate
        asked = asked_by(gate.policy, request)

        async def counted() -> AsyncIterator[str]:
            try:
                async for text in stream(
                    platform,
                    caller.tenant,
                    last_id,
                    incident_id=only,
                    closing=closing,
                    admitted=lambda: gate.still(asked, Right.READ),
                ):
                    yield text
            finally:
                streams.leave()

        return StreamingResponse(counted(), media_type="text/event-stream", headers=_HEADERS)

    _add(routes, events)


def _add(routes: APIRouter, events: Callable[..., Any]) -> None:
    routes.add_api_route(
        "/events",
        events,
        methods=["GET"],
        operation_id="stream_events",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Messages, one after the other, until either side ends it.",
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}
                },
            },
            **problems(400, 401, 403, 404, 422, 503),
        },
    )


def _number(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput("no event has this id; leave it out to hear what happens from now on")
    return int(text)
