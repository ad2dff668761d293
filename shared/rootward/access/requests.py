"""What a request over HTTP says about who is asking, for the services that answer it."""

from __future__ import annotations

import asyncio

from starlette.requests import HTTPConnection

from rootward.access.gate import Asked, Gate, Policy
from rootward.model.access import Caller

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


async def recognised(gate: Gate, request: HTTPConnection) -> Caller | None:
    """Who is asking; raises as `Gate.caller` does."""
    asked = asked_by(gate.policy, request)
    return gate.quick(asked) or await asyncio.to_thread(gate.caller, asked)


def asked_by(policy: Policy, request: HTTPConnection) -> Asked:
    """What a request says about who is asking."""
    headers = request.headers
    return Asked(
        authorization=headers.get("authorization", ""),
        session=request.cookies.get(cookie_name(policy, request), ""),
        peer=_peer(request),
        named=headers.get(policy.user_header, ""),
        host=headers.get("host", ""),
    )


def address(policy: Policy, request: HTTPConnection) -> str:
    """Where a request comes from: the nearest address that is not of a trusted proxy."""
    peer = _peer(request)
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while hops and policy.trusts(peer):
        peer = hops.pop()
    return peer[:64]


def is_https(policy: Policy, request: HTTPConnection) -> bool:
    """Whether the browser speaks TLS, to us or to a proxy before us."""
    if request.scope.get("scheme") == "https" or policy.public_origin.startswith("https:"):
        return True
    told = request.headers.get("x-forwarded-proto", "")
    return policy.trusts(_peer(request)) and told.lower() == "https"


def cookie_name(policy: Policy, request: HTTPConnection) -> str:
    """The name of the session's cookie; the prefix keeps other hosts of a site from planting it.

    https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
    """
    if not is_https(policy, request):
        return "rootward"
    return "__Secure-rootward" if request.scope.get("root_path") else "__Host-rootward"


def from_another_site(policy: Policy, request: HTTPConnection) -> bool:
    """Whether a page of another site makes a browser change something here.

    Browsers say where such a request is from, by Sec-Fetch-Site or else by Origin; programs
    send neither.
    """
    if request.scope["method"] in SAFE_METHODS:
        return False
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("none", "same-origin")
    host = request.headers.get("host", "")
    return origin not in (None, f"http://{host}", f"https://{host}", policy.public_origin or None)


def _peer(request: HTTPConnection) -> str:
    return request.client.host if request.client else ""
