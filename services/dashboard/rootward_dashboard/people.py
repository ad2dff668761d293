"""Who is asking, and who did what: the parts of the API that are about people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from rootward.model.access import Right, Role
from rootward.ports import Platform
from rootward_dashboard.access import KEY_HEADER, Asking, needs
from rootward_dashboard.figures import instant
from rootward_dashboard.guard import Guarded, readable

PREFIX = "/api/v1"


class MeOut(BaseModel):
    """Who is asking, and what they may do."""

    name: str = Field(examples=["anna"])
    role: Role | None = Field(description="Of a person; null for a program.")
    tenant: str = Field(examples=["default"])
    rights: list[Right]
    csrf_token: str = Field(
        description=f"Send it as {KEY_HEADER} with whatever changes something; empty: not needed."
    )
    may_log_out: bool = Field(description="Whether this is a login that POST /logout ends.")


class AuditEntryOut(BaseModel):
    """One thing that somebody did, or was kept from doing."""

    at: datetime
    at_unix: float
    who: str = Field(examples=["anna", "token:ci", "os:root"])
    action: str = Field(examples=["login", "diagnose_incident"])
    target: str
    address: str = Field(description="Where the request came from, or `command line`.")
    outcome: str = Field(examples=["done", "refused", "failed"])
    detail: str


class AuditPageOut(BaseModel):
    """A page of the audit log, newest first."""

    items: list[AuditEntryOut]
    next_cursor: str | None


def router(platform: Platform) -> APIRouter:
    """/me for everyone, /audit for admins."""
    routes = APIRouter(prefix=PREFIX, route_class=Guarded, tags=["people"])
    people = _People(platform)
    for path, endpoint, name, model, right in (
        ("/me", people.me, "get_me", MeOut, Right.READ),
        ("/audit", people.audit, "list_audit", AuditPageOut, Right.ADMIN),
    ):
        readable(
            routes,
            path,
            endpoint,
            operation_id=name,
            response_model=model,
            dependencies=[needs(right)],
        )
    return routes


class _People:
    """The endpoints."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def me(self, request: Request, response: Response, caller: Asking) -> MeOut:
        """Who is asking, and what they may do."""
        response.headers["Cache-Control"] = "no-store"
        return MeOut(
            name=caller.name,
            role=caller.role,
            tenant=caller.tenant,
            rights=sorted(caller.rights),
            csrf_token=request.state.form_key,
            may_log_out=bool(caller.session),
        )

    def audit(
        self,
        caller: Asking,
        limit: Annotated[int, Query(ge=1, le=500, description="Most items of a page.")] = 50,
        cursor: Annotated[
            str | None, Query(description="The `next_cursor` of the page before.")
        ] = None,
    ) -> AuditPageOut:
        """Who did what, the newest first, page by page; nobody can change or delete an entry."""
        page = self._platform.access.audit(caller.tenant, limit=limit, cursor=cursor)
        items = [
            AuditEntryOut(
                at=instant(e.at_unix),
                at_unix=e.at_unix,
                who=e.who,
                action=e.action,
                target=e.target,
                address=e.address,
                outcome=e.outcome,
                detail=e.detail,
            )
            for e in page.items
        ]
        return AuditPageOut(items=items, next_cursor=page.next_cursor)
