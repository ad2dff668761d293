"""Who is asking, and who did what: the parts of the API that are about people."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from rootward.model.access import AuditEntry, Right, Role
from rootward.ports import Platform
from rootward_dashboard.access import KEY_HEADER, Asking
from rootward_dashboard.api.routing import Cursor, Limit, get
from rootward_dashboard.figures import instant


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

    at: AwareDatetime
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


def add(routes: APIRouter, platform: Platform) -> None:
    """/me for everyone, /audit for admins."""

    def me(request: Request, response: Response, caller: Asking) -> MeOut:
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

    def audit(caller: Asking, limit: Limit = 50, cursor: Cursor = None) -> AuditPageOut:
        """Who did what, the newest first, page by page; nobody can change or delete an entry."""
        page = platform.access.audit(caller.tenant, limit=limit, cursor=cursor)
        items = [_entry(entry) for entry in page.items]
        return AuditPageOut(items=items, next_cursor=page.next_cursor)

    get(routes, "/me", me, "get_me", MeOut)
    get(routes, "/audit", audit, "list_audit", AuditPageOut, right=Right.ADMIN)


def _entry(entry: AuditEntry) -> AuditEntryOut:
    return AuditEntryOut(
        at=instant(entry.at_unix),
        at_unix=entry.at_unix,
        who=entry.who,
        action=entry.action,
        target=entry.target,
        address=entry.address,
        outcome=entry.outcome,
        detail=entry.detail,
    )
