"""The kept causal graphs of services: versions, edges, and notices of drift."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, Field

from rootward.model.graph_version import DriftNotice, GraphVersion, Reason
from rootward.ports import Platform
from rootward_dashboard import reading, wire
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import Cursor, Limit, get, link_next
from rootward_dashboard.figures import instant
from rootward_dashboard.problems import Problem
from rootward_dashboard.schemas import EdgeOut, GraphOut, SeriesOut, Wire

Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="This one; without it the current one.")
]
Recent = Annotated[
    bool,
    Query(description="Only what the list of incidents shows: the newest of a week, on one page."),
]


class DriftNoticeOut(Wire):
    """Columns changed after something was done to a service, and no incident opened."""

    service: str
    at: AwareDatetime = Field(description="When it was done.")
    at_unix: float
    source: str = Field(description="With `event_id` the name of the change event.")
    event_id: str
    title: str
    text: str
    version: int = Field(description="The version of the graph that was written for it.")


class DriftNoticePageOut(Wire):
    """Notices of drift, the newest first."""

    items: list[DriftNoticeOut]
    next_cursor: str | None


class GraphLineOut(Wire):
    """One version of the graph of a service, without its edges."""

    service: str
    version: int
    created_at: AwareDatetime
    created_unix: float
    start_unix: float = Field(description="First row that the relearnt columns are learnt from.")
    end_unix: float
    held_until_unix: float = Field(description="Last row by which it was seen to hold.")
    reason: Reason
    relearnt: list[str] = Field(description="Keys of the series that were learnt for it.")


class GraphPageOut(Wire):
    """The current version of each service, by its name."""

    items: list[GraphLineOut]
    next_cursor: str | None


class KeptGraphOut(GraphLineOut):
    """One version with its edges, and the others that are kept."""

    series: list[SeriesOut] = Field(description="Those of the service, and what may drive them.")
    edges: list[EdgeOut]
    gained: list[EdgeOut] = Field(description="Strong ones that the version before lacked.")
    lost: list[EdgeOut] = Field(description="Strong ones of the version before that went.")
    notices: list[DriftNoticeOut]
    history: list[GraphLineOut] = Field(description="All that are kept, the newest first.")


def add(routes: APIRouter, platform: Platform) -> None:
    """Graphs and notices."""

    def graphs(
        request: Request,
        response: Response,
        caller: Asking,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> GraphPageOut:
        """The current version of the causal graph of each service, without edges."""
        page = platform.graphs.page(caller.tenant, limit=limit, cursor=cursor)
        link_next(request, response, page.next_cursor)
        return GraphPageOut(items=[_line(v) for v in page.items], next_cursor=page.next_cursor)

    def one(caller: Asking, service: str, version: Version = None) -> KeptGraphOut:
        """The causal graph of a service: the current version, or another that is kept."""
        if version is not None:
            found = platform.graphs.get(service, version, caller.tenant)
        else:
            found = _current(platform, service, caller.tenant)
        return _whole(found, platform.graphs.history(service, caller.tenant))

    def notices(
        request: Request,
        response: Response,
        caller: Asking,
        recent: Recent = False,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> DriftNoticePageOut:
        """What changed after something was done, with no incident, the newest first."""
        if recent:
            newest = [_notice(n, v) for n, v in reading.drifted(platform, caller.tenant)]
            return DriftNoticePageOut(items=newest, next_cursor=None)
        page = platform.graphs.noticed(caller.tenant, limit=limit, cursor=cursor)
        link_next(request, response, page.next_cursor)
        items = [_notice(n, v) for v in page.items for n in v.notices]
        return DriftNoticePageOut(items=items, next_cursor=page.next_cursor)

    get(routes, "/graphs", graphs, "list_graphs", GraphPageOut)
    get(routes, "/graphs/{service}", one, "get_graph", KeptGraphOut)
    get(routes, "/drift", notices, "list_drift", DriftNoticePageOut)


def _current(platform: Platform, service: str, tenant: str) -> GraphVersion:
    found = platform.graphs.current(service, tenant)
    if found is None:
        detail = "It has too few quiet rows yet, or there is no such service."
        raise Problem(404, "not_found", f"There is no graph of {service}", detail)
    return found


def _line(value: GraphVersion) -> GraphLineOut:
    return GraphLineOut(
        service=value.group,
        version=value.number,
        created_at=instant(value.created_unix),
        created_unix=value.created_unix,
        start_unix=value.start_unix,
        end_unix=value.end_unix,
        held_until_unix=value.held_until_unix,
        reason=value.reason,
        relearnt=[one.key for one in value.relearnt],
    )


def _whole(value: GraphVersion, history: tuple[GraphVersion, ...]) -> KeptGraphOut:
    step = value.step_seconds
    graph: GraphOut = wire.graph(value.graph, step)
    return KeptGraphOut(
        **_line(value).model_dump(),
        series=graph.series,
        edges=graph.edges,
        gained=[wire.edge(e, step) for e in value.gained],
        lost=[wire.edge(e, step) for e in value.lost],
        notices=[_notice(n, value) for n in value.notices],
        history=[_line(one) for one in history],
    )


def _notice(value: DriftNotice, version: GraphVersion) -> DriftNoticeOut:
    return DriftNoticeOut(
        service=value.service,
        at=instant(value.at_unix),
        at_unix=value.at_unix,
        source=value.source,
        event_id=value.event_id,
        title=value.title,
        text=value.text,
        version=version.number,
    )
