"""The RCA API under /api/v1, one topic a file."""

from __future__ import annotations

from fastapi import APIRouter

from rootward.access.gate import Gate
from rootward.model.access import Right
from rootward.ports import Platform
from rootward_dashboard.access import needs
from rootward_dashboard.api import (
    beside,
    diagnoses,
    events,
    exports,
    granting,
    graphs,
    incidents,
    notices,
    outcomes,
    people,
    runs,
    series,
    status,
    working,
)
from rootward_dashboard.api.routing import PREFIX, keyed
from rootward_dashboard.guard import Guarded


def router(platform: Platform, gate: Gate) -> APIRouter:
    """The routes of the API; each needs the right to read, or says what else it needs."""
    routes = APIRouter(
        prefix=PREFIX,
        route_class=keyed(platform, gate),
        tags=["rca"],
        dependencies=[needs(Right.READ)],
    )
    for topic in (
        incidents,
        working,
        beside,
        runs,
        diagnoses,
        outcomes,
        events,
        exports,
        series,
        graphs,
        notices,
        status,
        people,
    ):
        topic.add(routes, platform)
    routes.include_router(_secrets(platform))
    return routes


def _secrets(platform: Platform) -> APIRouter:
    """What brings or takes secrets: no answer of it is kept under an Idempotency-Key."""
    routes = APIRouter(route_class=Guarded, tags=["access"])
    granting.add(routes, platform)
    return routes
