"""Who is asking, and what a route asks of them.

Every route declares the right it needs, on its router or on itself::

    routes = APIRouter(route_class=Guarded, dependencies=[needs(Right.READ)])
    routes.add_api_route(path, endpoint, methods=["POST"], dependencies=[needs(Right.RESPOND)])

An endpoint that wants to know who is asking takes `caller: Asking`: `caller.name` for what is
written down, `caller.tenant` for what is read. A route that is open to all says so: `open_to_all`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request

from rootward.access.gate import UNNAMED, Gate
from rootward.access.logins import form_key, is_form_key
from rootward.access.requests import (
    SAFE_METHODS,
    cookie_name,
    from_another_site,
    recognised,
)
from rootward.errors import Forbidden, Unauthenticated
from rootward.model.access import Caller, Right
from rootward.ports import DEFAULT_TENANT
from rootward_dashboard.problems import Problem

KEY_HEADER, KEY_FIELD = "X-CSRF-Token", "csrf_token"
"""Where the form key of a session stands: in requests of scripts, and in forms."""


class Threshold:
    """A dependency of all routes: refuses what other sites send, and hands the gate on."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __call__(self, request: Request) -> None:
        """Raise Problem where another site makes a browser change something."""
        request.state.gate = self._gate
        if from_another_site(self._gate.policy, request):
            told = "Requests that change something must come from this site."
            raise Problem(403, "cross_site", "Refused", told)


class Needs:
    """A dependency that lets only callers with a right pass."""

    def __init__(self, right: Right | None) -> None:
        self.right = right
        """None: open to all."""

    async def __call__(self, request: Request) -> None:
        """Raise Unauthenticated or Forbidden unless the caller has the right."""
        if self.right is None:
            return
        caller = await _caller(request)
        if not caller.may(self.right):
            raise Forbidden(_lacking(caller, self.right))


def _lacking(caller: Caller, right: Right) -> str:
    if caller.name == UNNAMED and caller.role is None:
        return (
            f"the proxy does not say who is asking, and nobody unknown may {right.value}; it must "
            "name them in the header of ROOTWARD_PROXY_USER_HEADER"
        )
    return f"{caller.name} lacks the right to {right.value}"


def needs(right: Right) -> Any:
    """What a route puts among its `dependencies` to ask for a right."""
    return Depends(Needs(right))


def open_to_all() -> Any:
    """What a route puts among its `dependencies` that takes requests from anyone."""
    return Depends(Needs(None))


def asking(request: Request) -> Caller:
    """Who is asking; raises Unauthenticated on a route that is open to all."""
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is None:
        raise Unauthenticated("log in, or send a token as `Authorization: Bearer rw_…`")
    return caller


Asking = Annotated[Caller, Depends(asking)]


async def _caller(request: Request) -> Caller:
    """Who is asking, found out once for each request."""
    if getattr(request.state, "caller", None) is None:
        gate: Gate = request.state.gate
        caller = await recognised(gate, request)
        if caller is not None and caller.session and request.method not in SAFE_METHODS:
            await _require_key(request)
        header = gate.policy.tenant_header
        if caller is not None and header and not caller.bound:
            caller = replace(caller, tenant=request.headers.get(header) or DEFAULT_TENANT)
        request.state.caller = caller
        request.state.form_key = form_key(_word(request)) if caller and caller.session else ""
    return asking(request)


async def _require_key(request: Request) -> None:
    """Raise Forbidden unless the request brings the form key of its session."""
    sent = request.headers.get(KEY_HEADER, "")
    if not sent and request.headers.get("content-type", "").startswith("application/x-www-form"):
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        sent = fields.get(KEY_FIELD, [""])[0]
    if not is_form_key(_word(request), sent):
        raise Forbidden(f"the form is out of date; load the page again (or send {KEY_HEADER})")


def _word(request: Request) -> str:
    gate: Gate = request.state.gate
    return request.cookies.get(cookie_name(gate.policy, request), "")
