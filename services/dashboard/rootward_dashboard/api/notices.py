"""Alerts and change events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rootward.model.alert import AlertStatus
from rootward.ports import Platform
from rootward_dashboard import schemas as out
from rootward_dashboard import wire
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import Cursor, Limit, Service, get, link_next


def add(routes: APIRouter, platform: Platform) -> None:
    """Alerts and what was done to the system."""

    def alerts(
        request: Request,
        response: Response,
        caller: Asking,
        status: Annotated[AlertStatus | None, Query(description="Only these.")] = None,
        service: Service = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.AlertPageOut:
        """Alerts, the last that came first, page by page."""
        page = platform.alerts.page(
            caller.tenant, status=status, service=service, limit=limit, cursor=cursor
        )
        link_next(request, response, page.next_cursor)
        items = [wire.alert(one) for one in page.items]
        return out.AlertPageOut(items=items, next_cursor=page.next_cursor)

    def changes(
        request: Request,
        response: Response,
        caller: Asking,
        service: Service = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> out.ChangeEventPageOut:
        """What was done to the system, the last that came first, page by page."""
        page = platform.change_events.page(
            caller.tenant, service=service, limit=limit, cursor=cursor
        )
        link_next(request, response, page.next_cursor)
        items = [wire.change_event(one) for one in page.items]
        return out.ChangeEventPageOut(items=items, next_cursor=page.next_cursor)

    get(routes, "/alerts", alerts, "list_alerts", out.AlertPageOut)
    get(routes, "/changes", changes, "list_changes", out.ChangeEventPageOut)
