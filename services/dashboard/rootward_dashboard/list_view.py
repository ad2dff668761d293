"""What the list of incidents says, ready for its template."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from rootward.model.graph_version import DriftNotice
from rootward.model.incident import Band, Incident, Status
from rootward.ports import Platform
from rootward_dashboard import evidence_view, figures, reading
from rootward_dashboard.incident_view import BANDS
from rootward_dashboard.names import incident_key, incident_name
from rootward_dashboard.reading import Finding
from rootward_dashboard.svg import Markup

PAGE = 25


@dataclass(frozen=True)
class Query:
    """What the list shows, as the address says it."""

    status: Status | None = None
    service: str = ""
    cursor: str | None = None

    def address(self, status: Status | None, cursor: str | None = None) -> str:
        """The query string for another status or the next page, the service kept."""
        pairs = {"status": status or "", "service": self.service, "cursor": cursor or ""}
        chosen = urlencode({k: v for k, v in pairs.items() if v})
        return f"?{chosen}" if chosen else ""


@dataclass(frozen=True)
class Row:
    """An incident in the list."""

    incident: Incident
    key: str
    name: str
    state: str
    cause: str
    metric: str
    band: Band | None
    band_words: str
    duration: str
    spark: Markup | None


@dataclass(frozen=True)
class ListView:
    """A page of the list, and what to say where it is empty."""

    query: Query
    rows: tuple[Row, ...]
    next_cursor: str | None
    open_count: int
    now: float
    last_unix: float | None
    series: int
    services: int
    drifted: tuple[DriftNotice, ...]
    """What changed after something was done, with no incident; of the last days, newest first."""
    quiet_since: float | None
    """When the last incident was resolved; None where there has been none."""


def list_view(platform: Platform, query: Query, tenant: str) -> ListView:
    """A page of incidents of a tenant with their first causes.

    Raises:
        InvalidInput: the cursor is not one of ours.
    """
    page = platform.incidents.page(
        tenant,
        status=query.status,
        service=query.service or None,
        limit=PAGE,
        cursor=query.cursor,
    )
    now = platform.clock.now()
    inflows = () if page.items else reading.inflows(platform, tenant)
    return ListView(
        query=query,
        rows=tuple(_row(i, reading.finding(platform, i), now) for i in page.items),
        next_cursor=page.next_cursor,
        open_count=len(platform.incidents.current(tenant)),
        now=now,
        last_unix=platform.samples.latest_unix(tenant),
        series=sum(i.series for i in inflows),
        services=len(inflows),
        drifted=() if query.cursor else tuple(n for n, _ in reading.drifted(platform, tenant)),
        quiet_since=None if page.items else _quiet_since(platform, tenant),
    )


def _quiet_since(platform: Platform, tenant: str) -> float | None:
    page = platform.incidents.page(tenant, status=Status.RESOLVED, limit=1)
    return page.items[0].resolved_unix if page.items else None


def _row(incident: Incident, finding: Finding, now: float) -> Row:
    end = now if incident.resolved_unix is None else incident.resolved_unix
    diagnosis = finding.diagnosis
    first = diagnosis.candidates[0] if diagnosis and diagnosis.candidates else None
    spark = None
    if diagnosis is not None:
        shared = evidence_view.timing(incident, diagnosis)
        excerpt = next((e for e in diagnosis.excerpts if e.series == shared.symptom), None)
        spark = None if excerpt is None else evidence_view.thumbnail(excerpt, shared, 1)
    return Row(
        incident=incident,
        key=incident_key(incident),
        name=incident_name(incident),
        state="abstained" if diagnosis and diagnosis.abstained else finding.state,
        cause=first.service if first else "",
        metric=first.series.metric if first else "",
        band=None if diagnosis is None else diagnosis.band,
        band_words="" if diagnosis is None else BANDS[diagnosis.band],
        duration=figures.span(round(max(0.0, end - incident.onset_unix))),
        spark=spark,
    )
