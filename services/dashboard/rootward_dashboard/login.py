"""The login page, and the way out."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypedDict
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from rootward.access.gate import Gate
from rootward.access.requests import address, cookie_name, is_https
from rootward.errors import Busy, OverQuota, Unauthenticated
from rootward_dashboard import problems, rendering
from rootward_dashboard.access import open_to_all
from rootward_dashboard.guard import NO_SCRIPTS, Guarded, readable

_OURS = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f-\uffff]*")
"""An address on this site: no host, nothing that a browser would take for one."""


def router(gate: Gate) -> APIRouter:
    """/login and /logout."""
    desk = _Login(gate)
    routes = APIRouter(route_class=Guarded, include_in_schema=False, dependencies=[open_to_all()])
    readable(routes, "/login", desk.page)
    routes.add_api_route("/login", desk.log_in, methods=["POST"])
    routes.add_api_route("/logout", desk.log_out, methods=["POST"])
    return routes


class _Login:
    """The endpoints."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def page(self, request: Request, next: Annotated[str, Query()] = "/") -> Response:
        """The form; where no login is needed, the incidents."""
        if not self._gate.policy.login:
            return _to(request, next)
        elsewhere = self._gate.logins.provider.start_url
        if elsewhere is not None:
            return RedirectResponse(elsewhere, 303)
        return _form(request, next, None)

    async def log_in(self, request: Request) -> Response:
        """Start a session, whatever cookie came along, and go where the browser wanted to."""
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=20)
        brought = {name: values[0] for name, values in fields.items()}
        wanted = brought.pop("next", "/")
        place = address(self._gate.policy, request)
        try:
            word, _ = await run_in_threadpool(self._gate.logins.start, brought, place)
        except (Unauthenticated, OverQuota, Busy) as error:
            return _form(request, wanted, problems.problem_of(error), brought.get("name", ""))
        await self._end(request, place)
        response = _to(request, wanted)
        self._keep(request, response, word)
        return response

    async def log_out(self, request: Request) -> Response:
        """End the session; the browser forgets what it kept of us."""
        await self._end(request, address(self._gate.policy, request))
        response = _to(request, "/login")
        response.delete_cookie(self._cookie(request), **self._bounds(request))
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    async def _end(self, request: Request, place: str) -> None:
        old = request.cookies.get(self._cookie(request), "")
        if old:
            await run_in_threadpool(self._gate.logins.end, old, place)

    def _keep(self, request: Request, response: Response, word: str) -> None:
        seconds = round(self._gate.logins.lifetime.seconds)
        name = self._cookie(request)
        response.set_cookie(name, word, max_age=seconds, **self._bounds(request))

    def _cookie(self, request: Request) -> str:
        return cookie_name(self._gate.policy, request)

    def _bounds(self, request: Request) -> _Bounds:
        return {
            "path": request.scope.get("root_path", "") or "/",
            "secure": is_https(self._gate.policy, request),
            "httponly": True,
            "samesite": "lax",
        }


class _Bounds(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


def _form(
    request: Request, wanted: str, problem: problems.Problem | None, name: str = ""
) -> Response:
    page = rendering.page(
        request, "login.html", wanted=_safe(wanted), problem=problem, name=name, refresh=None
    )
    status = problem.status if problem else 200
    # a challenge would make the browser ask by itself; the form is how to answer
    headers = {k: v for k, v in problem.headers.items() if k == "Retry-After"} if problem else {}
    return HTMLResponse(page, status, headers | NO_SCRIPTS | {"Cache-Control": "no-store"})


def _to(request: Request, wanted: str) -> Response:
    root = request.scope.get("root_path", "")
    return RedirectResponse(root + _safe(wanted.removeprefix(root)), 303)


def _safe(wanted: str) -> str:
    return wanted if _OURS.fullmatch(wanted) else "/"
