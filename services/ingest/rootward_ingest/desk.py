"""One way to handle a request: bounded reading, work in a thread, an answer for every error."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from rootward import telemetry
from rootward.access.gate import Gate
from rootward.access.requests import from_another_site, recognised
from rootward.errors import (
    Busy,
    Forbidden,
    InvalidInput,
    OverQuota,
    RejectedSamples,
    RootwardError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnreadableBody,
    UnsupportedMedia,
)
from rootward.model.access import Caller, Right
from rootward.ports import Quarantine
from rootward_ingest.inflight import Budget, Claim, TooMuchInFlight
from rootward_ingest.intake import Limits
from rootward_ingest.seldom import QUIET_SECONDS, Seldom
from rootward_ingest.tenants import Tenants

log = logging.getLogger(__name__)

UNAVAILABLE_RETRY_SECONDS = 5.0
"""When to come back after a database or bus did not answer, or after a bug of ours."""
MOST_FAILURES = 3
"""How often a body may fail by a bug of ours before its sender is told to give up on it."""
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
GONE = 499
"""The status that stands in our metrics for a sender that hung up; nobody reads it."""


@dataclass(frozen=True)
class Problem:
    """An error as a sender is told about it."""

    status: int
    title: str
    detail: str
    retry_after_seconds: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that the answer needs."""
        if self.status == 401:
            return {"WWW-Authenticate": 'Bearer realm="rootward", Basic realm="rootward"'}
        if self.retry_after_seconds is None:
            return {}
        return {"Retry-After": str(max(1, math.ceil(self.retry_after_seconds)))}


class Needs:
    """A dependency by which a route says what right it needs; the desk asks for it."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> None:
        """Tell the desk."""
        request.state.right = self.right


@dataclass(frozen=True)
class Parcel:
    """A request that came in whole."""

    body: bytes
    claim: Claim
    """What it may take of the budget; a route adds to it what it builds of the body."""
    headers: Headers
    tenant: str


class Route(Protocol):
    """What one intake route adds to the handling of a request."""

    protocol: str
    """Its name in metrics and logs."""

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the body will be of a kind that is taken."""
        ...

    def take(self, parcel: Parcel) -> Response:
        """Handle a request, in a thread; anything larger than the body is put on the claim."""
        ...

    def refuse(self, problem: Problem) -> Response:
        """The answer to a request that failed."""
        ...


class Desk:
    """Takes requests in, as many at a time as their bytes allow.

    Work runs in the threads of the event loop's own pool, so neither a slow bus nor a large body
    holds up other requests. A body that fails by a bug of ours goes to the quarantine, and its
    sender tries again; where that does not help, the body is refused.
    """

    def __init__(
        self, limits: Limits, quarantine: Quarantine, tenants: Tenants, gate: Gate
    ) -> None:
        self._limits = limits
        self._gate = gate
        self._tenants = tenants
        self._quarantine = quarantine
        self._budget = Budget(limits.inflight_bytes)
        self._seldom = Seldom(QUIET_SECONDS)

    async def handle(self, request: Request, route: Route) -> Response:
        """The answer to a request; never raises."""
        started = time.perf_counter()
        response = await self._answer(request, route)
        for name, value in _HEADERS.items():
            response.headers[name] = value
        telemetry.INGEST_REQUESTS.labels(route.protocol, str(response.status_code)).inc()
        telemetry.INGEST_SECONDS.labels(route.protocol).observe(time.perf_counter() - started)
        return response

    async def _answer(self, request: Request, route: Route) -> Response:
        tenant = ""
        try:
            sender = await self._admitted(request)
            route.check(request.headers)
            tenant = self._tenants.of(request.headers, sender)
            with Claim(self._budget) as claim:
                body = await self._body(request, claim)
                parcel = Parcel(body, claim, request.headers, tenant)
                return await asyncio.to_thread(self._taken, route, parcel)
        except ClientDisconnect:
            return Response(status_code=GONE)
        except Exception as error:  # noqa: BLE001 - every failure gets an answer
            self._count_refusal(error, route.protocol, tenant)
            return route.refuse(problem_of(error))

    async def _admitted(self, request: Request) -> Caller:
        """Who sends; raises Unauthenticated or Forbidden where it may not."""
        sender = await recognised(self._gate, request)
        if sender is None:
            raise Unauthenticated("send a token, as Bearer or as the password of Basic")
        right: Right = request.state.right
        if not sender.may(right):
            raise Forbidden(f"{sender.name} lacks the right to {right.value}")
        if from_another_site(self._gate.policy, request):
            raise Forbidden("a page of another site may not send data")
        return sender

    def _count_refusal(self, error: Exception, protocol: str, tenant: str) -> None:
        """One count, and now and then a log line, for a request that a limit refused."""
        match error:
            case TooLarge() | OverQuota():
                limit = error.limit
            case TooMuchInFlight():
                limit = "inflight"
            case Unauthenticated():
                limit = "unauthenticated"
            case Forbidden():
                limit = "forbidden"
            case _:
                return
        telemetry.INGEST_REFUSED.labels(limit, tenant).inc()
        if self._seldom.now(f"{limit} {tenant}", time.monotonic()):
            facts = {"protocol": protocol, "tenant": tenant, "limit": limit, "reason": str(error)}
            log.warning("request refused", extra=facts)

    def _taken(self, route: Route, parcel: Parcel) -> Response:
        try:
            return route.take(parcel)
        except (InvalidInput, OverQuota, Busy, Unavailable):
            raise
        except Exception as error:
            log.exception("request failed", extra={"protocol": route.protocol})
            times = self._kept(route.protocol, parcel, f"{type(error).__name__}: {error}")
            return route.refuse(_bug(times))

    def _kept(self, protocol: str, parcel: Parcel, reason: str) -> int:
        """How often this body has failed; 1 where it cannot be kept."""
        try:
            return self._quarantine.keep(protocol, parcel.body, reason, parcel.tenant)
        except Unavailable as error:
            log.warning("body not kept", extra={"protocol": protocol, "reason": str(error)})
            return 1

    async def _body(self, request: Request, claim: Claim) -> bytes:
        """The body, read no further than the limit.

        Raises:
            TooLarge: it is larger than allowed, by its header or as it comes in.
            Busy: too much is in flight.
            TimeoutError: the sender is too slow.
        """
        limit = self._limits.max_body_bytes
        declared = request.headers.get("content-length", "")
        size = int(declared) if declared.isascii() and declared.isdigit() else 0
        _require(size, limit)
        claim.cover(size)
        chunks: list[bytes] = []
        read = 0
        async with asyncio.timeout(self._limits.max_read_seconds):
            async for chunk in request.stream():
                read += len(chunk)
                _require(read, limit)
                claim.cover(read)
                chunks.append(chunk)
        return b"".join(chunks)


def _require(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; send fewer samples at a time")


_KINDS: tuple[tuple[type[RootwardError], int, str], ...] = (
    (Unauthenticated, 401, "Who is sending?"),
    (Forbidden, 403, "Not allowed"),
    (RejectedSamples, 400, "Some samples were refused"),
    (UnsupportedMedia, 415, "Unsupported content type or encoding"),
    (TooLarge, 413, "Too large"),
    (UnreadableBody, 400, "Unreadable body"),
    (InvalidInput, 400, "Invalid input"),
)


def problem_of(error: Exception) -> Problem:
    """What a sender is told: only 503 is worth another try, 408 may be."""
    text = str(error)
    for kind, status, title in _KINDS:
        if isinstance(error, kind):
            return Problem(status, title, text)
    match error:
        case Busy():
            return Problem(503, "Busy", text, error.retry_after_seconds)
        case OverQuota():
            return Problem(429, "Over quota", text, error.retry_after_seconds)
        case Unavailable():
            log.warning("bus unavailable", extra={"reason": text})
            return Problem(503, "Unavailable", text, UNAVAILABLE_RETRY_SECONDS)
        case TimeoutError():
            return Problem(408, "Too slow", "the body did not arrive in time")
        case _:
            log.error("request failed", exc_info=error)
            return _bug(times=1)


def _bug(times: int) -> Problem:
    if times < MOST_FAILURES:
        told = "a bug of ours; the log of ingest says more"
        return Problem(503, "Internal error", told, UNAVAILABLE_RETRY_SECONDS)
    told = f"this body failed {times} times by a bug of ours; it is kept, do not send it again"
    return Problem(400, "Quarantined", told)
