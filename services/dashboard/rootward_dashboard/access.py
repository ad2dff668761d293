"""Who is asking, and what a route asks of them.

Every route declares the right it needs, on its router or on itself::

    routes = APIRouter(route_class=Guarded, dependencies=[needs(Right.READ)])
    routes.add_api_route(path, endpoint, methods=["POST"], dependencies=[needs(Right.RESPOND)])

An endpoint that wants to know who is asking takes `caller: Asking`: `caller.name` for what is
written down, `caller.tenant` for what is read. A route that is open to all says so: `open_to_all`.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from rootward.errors import Forbidden, Unauthenticated
from rootward.model.access import Caller, Right
from rootward.ports import DEFAULT_TENANT

LOCAL = Caller("local", frozenset(Right), DEFAULT_TENANT)
"""Whoever asks where no login is needed."""


class Needs:
    """A dependency that lets only callers with a right pass."""

    def __init__(self, right: Right | None) -> None:
        self.right = right
        """None: open to all."""

    async def __call__(self, request: Request) -> None:
        """Raise Unauthenticated or Forbidden unless the caller has the right."""
        if self.right is None:
            return
        if not asking(request).may(self.right):
            raise Forbidden(f"{asking(request).name} lacks the right to {self.right.value}")


def needs(right: Right) -> Any:
    """What a route puts among its `dependencies` to ask for a right."""
    return Depends(Needs(right))


def open_to_all() -> Any:
    """What a route puts among its `dependencies` that takes requests from anyone."""
    return Depends(Needs(None))


def asking(request: Request) -> Caller:
    """Who is asking.

    Raises:
        Unauthenticated: nobody knows.
    """
    caller: Caller | None = getattr(request.state, "caller", LOCAL)
    if caller is None:
        raise Unauthenticated("log in, or send a token as `Authorization: Bearer rw_…`")
    return caller


Asking = Annotated[Caller, Depends(asking)]
