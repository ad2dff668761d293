"""Every route says what right it needs, and asks for it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from fastapi.testclient import TestClient

from rootward.access.gate import Gate, Policy
from rootward.model.access import Caller, Right, Role, implied
from rootward.ports import Platform
from rootward_dashboard.app import create_app
from rootward_ingest.app import create_app as create_ingest
from rootward_ingest.limits import Limits
from tests.services.access_client import Closed, closed

HEALTH = {"/livez", "/healthz", "/-/healthy", "/readyz", "/-/ready", "/metrics"}
OPEN = HEALTH | {"/static/{name:path}", "/favicon.ico", "/openapi.json", "/login", "/logout"}
"""What orchestrators, Prometheus and the login page fetch without credentials."""

ENDLESS = "/api/v1/events"
"""A stream that would never answer whole."""


@pytest.fixture
def site(fake_platform: Platform) -> Closed:
    return closed(fake_platform)


def declared(app: FastAPI) -> Iterator[tuple[RouteContext, list[Right | None]]]:
    """Every route with the rights that it declares."""
    for route in iter_route_contexts(app.routes):
        asked = [d.dependency for d in route.dependencies]
        yield route, [call.right for call in asked if hasattr(call, "right")]


def address(route: RouteContext) -> str:
    return re.sub(r"{\w+(:\w+)?}", "INC-1", str(route.path))


def test_every_route_declares_its_right(site: Closed):
    routes = list(declared(site.app))
    assert [r.path for r, rights in routes if not rights] == []
    assert len(routes) > 40


def test_only_what_must_be_is_open_to_all(site: Closed):
    assert {r.path for r, rights in declared(site.app) if None in rights} == OPEN
    assert [r.path for r, rights in declared(site.app) if None in rights and len(rights) > 1] == []


def test_ingest_alone_is_open_for_health_only(fake_platform: Platform):
    app = create_ingest(fake_platform, Limits())
    assert {r.path for r, rights in declared(app) if not rights} == HEALTH
    assert {right for _, rights in declared(app) for right in rights} == {Right.INGEST}


def test_what_changes_something_needs_more_than_reading(site: Closed):
    for route, rights in declared(site.app):
        if not route.methods <= {"GET", "HEAD"} and None not in rights:
            assert {Right.RESPOND, Right.ADMIN, Right.INGEST} & set(rights), route.path


def test_without_credentials_every_other_route_refuses(site: Closed):
    client = site.client()
    for route, rights in declared(site.app):
        for method in route.methods if None not in rights else ():
            answer = client.request(method, address(route))
            told = f"{method} {route.path}: {answer.status_code}"
            page = method == "GET" and not route.path.startswith(("/api/", "/v1/"))
            assert answer.status_code == (303 if page else 401), told
            if page:
                assert answer.headers["location"].startswith("/login?next=%2F"), told
            else:
                assert answer.headers["www-authenticate"].startswith("Bearer"), told


@pytest.mark.parametrize(
    "path",
    ["//api/v1/incidents", "/api/v1/incidents/", "/API/v1/incidents",
     "/static/..%2f..%2fapp.py", "/rw//api/v1/incidents", "/rwx/api/v1/incidents", "/rw/rw/report"],
)  # fmt: skip
def test_no_spelling_of_an_address_goes_round_the_gate(path: str, site: Closed):
    client = site.client(root_path="/rw", headers=site.bearer(Right.ADMIN))
    answer = client.get(path)
    assert answer.status_code == 404, "not even a redirect, which would lead to plain http"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_headers_that_proxies_set_change_nothing_where_none_is_trusted(site: Closed):
    told = {
        "X-Forwarded-User": "admin", "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1",
        "X-Original-URL": "/livez", "X-HTTP-Method-Override": "HEAD", "X-Scope-OrgID": "default",
    }  # fmt: skip
    assert site.client().get("/api/v1/incidents", headers=told).status_code == 401


def test_a_token_without_the_right_is_refused_everywhere(site: Closed):
    client = site.client()
    lacking = {
        Right.INGEST: site.bearer(Right.RESPOND),
        Right.READ: site.bearer(Right.INGEST),
        Right.RESPOND: site.bearer(Right.READ),
        Right.ADMIN: site.bearer(Right.RESPOND, Right.INGEST),
    }
    for route, rights in declared(site.app):
        if None in rights:
            continue
        highest = max(rights, key=list(Right).index)
        for method in route.methods:
            answer = client.request(method, address(route), headers=lacking[highest])
            assert answer.status_code == 403, f"{method} {route.path}: {answer.status_code}"


def test_a_token_with_the_right_gets_past_the_gate_everywhere(site: Closed):
    client = site.client()
    for route, rights in declared(site.app):
        if None in rights:
            continue
        headers = site.bearer(*rights)
        for method in route.methods - ({"GET"} if route.path == ENDLESS else set()):
            answer = client.request(method, address(route), headers=headers)
            assert answer.status_code not in (401, 403), f"{method} {route.path}"


def test_rights_bring_those_below_them():
    assert implied(Right.RESPOND) == {Right.READ, Right.RESPOND}
    assert implied(Right.INGEST) == {Right.INGEST}
    assert Role.ADMIN.rights == frozenset(Right)
    assert not Caller("anna", Role.VIEWER.rights, "default", Role.VIEWER).may(Right.RESPOND)


def test_where_a_proxy_names_nobody_the_refusal_says_what_it_must_send(fake_platform: Platform):
    trusted = (ipaddress.ip_network("127.0.0.1"),)
    policy = Policy(login=True, by_proxy=True, trusted=trusted)
    gate = Gate(fake_platform.access, fake_platform.clock, policy)
    client = TestClient(create_app(fake_platform, gate=gate), client=("127.0.0.1", 50_000))
    refused = client.get("/api/v1/incidents")
    assert refused.status_code == 403
    assert "ROOTWARD_PROXY_USER_HEADER" in refused.json()["detail"]
    named = client.get("/api/v1/incidents", headers={"X-Forwarded-User": "vera"})
    assert named.status_code == 200
