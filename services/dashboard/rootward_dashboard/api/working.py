"""What people do to incidents: acknowledge, assign, comment, resolve, merge, split, link."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter, Request, Response

from rootward.model.access import Caller
from rootward.model.incident import Incident
from rootward.ports import Platform
from rootward.ports.incidents import Act
from rootward_dashboard import deeds, merging
from rootward_dashboard import handling as work
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Asking
from rootward_dashboard.api.incidents import short
from rootward_dashboard.api.routing import (
    PREFIX,
    IfMatch,
    change,
    etag,
    required,
    root,
    version_of,
)
from rootward_dashboard.names import incident_key

_AT = "/incidents/{key}"


def add(routes: APIRouter, platform: Platform) -> None:
    """Everything that people change."""
    desk = _Desk(platform)
    for path, endpoint, name in (
        ("acknowledge", desk.plain(deeds.acknowledge), "acknowledge_incident"),
        ("unacknowledge", desk.plain(deeds.unacknowledge), "unacknowledge_incident"),
        ("resolve", desk.noted(deeds.resolve), "resolve_incident"),
        ("reopen", desk.noted(deeds.reopen), "reopen_incident"),
        ("merge", desk.merge, "merge_incidents"),
        ("separate", desk.separate, "separate_incident"),
        ("links", desk.link, "link_incidents"),
    ):
        change(routes, f"{_AT}/{path}", endpoint, name, out.IncidentOut)
    change(routes, _AT, desk.patch, "update_incident", out.IncidentOut, method="PATCH", also=(428,))
    change(
        routes, f"{_AT}/links/{{other}}", desk.unlink, "unlink_incident", out.IncidentOut,
        method="DELETE",
    )  # fmt: skip
    change(routes, f"{_AT}/split", desk.split, "split_incident", out.IncidentOut, status=201)
    change(
        routes, f"{_AT}/comments", desk.comment, "comment_incident", work.ActivityOut, status=201
    )


class _Desk:
    """The endpoints; each does one thing in one transaction and answers with the incident."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def plain(self, deed: Callable[[str, float], Act]) -> Callable[..., out.IncidentOut]:
        """An endpoint that needs to know nothing but the incident."""

        def endpoint(
            request: Request, response: Response, caller: Asking, key: str, if_match: IfMatch = None
        ) -> out.IncidentOut:
            act = deed(caller.name, self._platform.clock.now())
            known = self._platform.incidents.get(key, caller.tenant)
            changed = self._do([known.id], act, caller, version_of(if_match))
            return self._answer(request, response, changed)

        endpoint.__doc__ = deed.__doc__
        return endpoint

    def noted(self, deed: Callable[[str, str, float], Act]) -> Callable[..., out.IncidentOut]:
        """An endpoint that may be told why."""

        def endpoint(
            request: Request,
            response: Response,
            caller: Asking,
            key: str,
            why: work.NoteIn | None = None,
            if_match: IfMatch = None,
        ) -> out.IncidentOut:
            act = deed(why.note if why else "", caller.name, self._platform.clock.now())
            known = self._platform.incidents.get(key, caller.tenant)
            changed = self._do([known.id], act, caller, version_of(if_match))
            return self._answer(request, response, changed)

        endpoint.__doc__ = deed.__doc__
        return endpoint

    def patch(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        wanted: work.IncidentPatch,
        if_match: IfMatch = None,
    ) -> out.IncidentOut:
        """Change who has an incident; the version that was read must be said."""
        version = required(if_match)
        act = deeds.assign(wanted.assignee or "", caller.name, self._platform.clock.now())
        known = self._platform.incidents.get(key, caller.tenant)
        return self._answer(request, response, self._do([known.id], act, caller, version))

    def comment(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        said: work.CommentIn,
    ) -> work.ActivityOut:
        """Say something about an incident; it stands in its log."""
        act = deeds.comment(said.text, caller.name, self._platform.clock.now())
        known = self._platform.incidents.get(key, caller.tenant)
        self._platform.incidents.handle([known.id], act, caller.tenant)
        lines = self._platform.incidents.log(known.id, caller.tenant)
        line = next(
            one for one in reversed(lines) if (one.actor, one.text) == (caller.name, said.text)
        )
        response.headers["Location"] = f"{self._url(request, known)}/activity"
        return work.activity(line)

    def merge(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        wanted: work.OthersIn,
        if_match: IfMatch = None,
    ) -> out.IncidentOut:
        """Let this incident take in any number of others, which it answers for from then on."""
        store, tenant = self._platform.incidents, caller.tenant
        into = store.get(key, tenant)
        others = {one.id: one for one in (store.get(k, tenant) for k in wanted.incidents)}
        carried = [i for one in others.values() for i in one.handling.absorbed]
        act = merging.merge(caller.name, self._platform.clock.now())
        changed = self._do([into.id, *others, *carried], act, caller, version_of(if_match))
        self._platform.jobs.submit("diagnose", incident_id=into.id, tenant=tenant)
        return self._answer(request, response, changed)

    def separate(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        wanted: work.OthersIn,
        if_match: IfMatch = None,
    ) -> out.IncidentOut:
        """Take back that incidents went into this one."""
        into = self._platform.incidents.get(key, caller.tenant)
        version = version_of(if_match)
        for other in wanted.incidents:
            act = merging.separate(caller.name, self._platform.clock.now())
            into = self._do([into.id, other], act, caller, version)
            version = None
        return self._answer(request, response, into)

    def split(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        wanted: work.SplitIn,
        if_match: IfMatch = None,
    ) -> out.IncidentOut:
        """Give the changes of some services or series an incident of their own."""
        now = self._platform.clock.now()
        act = merging.split(wanted.services, wanted.series, wanted.title, caller.name, now)
        source = self._platform.incidents.get(key, caller.tenant)
        made = self._do([source.id], act, caller, version_of(if_match))
        self._platform.jobs.submit("diagnose", incident_id=made.id, tenant=caller.tenant)
        response.headers["Location"] = self._url(request, made)
        return self._answer(request, response, made)

    def link(
        self,
        request: Request,
        response: Response,
        caller: Asking,
        key: str,
        wanted: work.OthersIn,
        if_match: IfMatch = None,
    ) -> out.IncidentOut:
        """Say that incidents are related to this one."""
        store = self._platform.incidents
        one = store.get(key, caller.tenant)
        others = dict.fromkeys(store.get(k, caller.tenant).id for k in wanted.incidents)
        act = deeds.link(caller.name, self._platform.clock.now())
        changed = self._do([one.id, *others], act, caller, version_of(if_match))
        return self._answer(request, response, changed)

    def unlink(
        self, request: Request, response: Response, caller: Asking, key: str, other: str
    ) -> out.IncidentOut:
        """Say that an incident is not related to this one."""
        store = self._platform.incidents
        ids = [store.get(k, caller.tenant).id for k in (key, other)]
        act = deeds.unlink(caller.name, self._platform.clock.now())
        return self._answer(request, response, self._do(ids, act, caller, None))

    def _do(self, ids: Sequence[str], act: Act, caller: Caller, version: int | None) -> Incident:
        """The first incident that was changed; where nothing was, the first one asked for."""
        store = self._platform.incidents
        changed = store.handle(ids, act, caller.tenant, version=version)
        return changed[0] if changed else store.get(ids[0], caller.tenant)

    def _answer(self, request: Request, response: Response, incident: Incident) -> out.IncidentOut:
        response.headers["ETag"] = etag(incident.handling.version)
        return short(request, self._platform, incident)

    def _url(self, request: Request, incident: Incident) -> str:
        return f"{root(request)}{PREFIX}/incidents/{incident_key(incident)}"
