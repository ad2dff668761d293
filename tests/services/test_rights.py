"""Every route says what right it needs."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from rootward.model.access import Caller, Right, Role, implied
from rootward.ports import Platform
from rootward_dashboard.access import Needs
from rootward_dashboard.app import create_app

OPEN = {
    *("/livez", "/healthz", "/-/healthy", "/readyz", "/-/ready", "/metrics"),
    *("/static/{name}", "/favicon.ico"),
}
"""What orchestrators, Prometheus and the login page fetch without credentials."""


def declared(app: FastAPI) -> Iterator[tuple[RouteContext, list[Right | None]]]:
    """Every route, all of the framework's own left out, with the rights that it declares."""
    for route in iter_route_contexts(app.routes):
        if route.path != "/openapi.json":
            asked = [d.dependency for d in route.dependencies]
            yield route, [call.right for call in asked if isinstance(call, Needs)]


def test_every_route_of_the_dashboard_declares_its_right(fake_platform: Platform):
    undeclared = [r.path for r, rights in declared(create_app(fake_platform)) if not rights]
    assert undeclared == []


def test_only_what_must_be_is_open_to_all(fake_platform: Platform):
    routes = declared(create_app(fake_platform))
    assert {r.path for r, rights in routes if rights == [None]} == OPEN


def test_what_changes_something_needs_more_than_reading(fake_platform: Platform):
    for route, rights in declared(create_app(fake_platform)):
        if not route.methods <= {"GET", "HEAD"}:
            assert {Right.RESPOND, Right.ADMIN} & set(rights), route.path


def test_rights_bring_those_below_them():
    assert implied(Right.RESPOND) == {Right.READ, Right.RESPOND}
    assert implied(Right.INGEST) == {Right.INGEST}
    assert Role.ADMIN.rights == frozenset(Right)
    assert not Caller("anna", Role.VIEWER.rights, "default", Role.VIEWER).may(Right.RESPOND)
