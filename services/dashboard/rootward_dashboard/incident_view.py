"""What the incident page says, ready for its template: answer first, evidence below."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rootward.model.graph import Edge
from rootward.model.incident import Band, Candidate, Change, Diagnosis, Incident
from rootward.model.kind import unit_of
from rootward.model.series import Series
from rootward_dashboard import charts, evidence_view, figures, graph_drawing
from rootward_dashboard.axes import TimeAxis
from rootward_dashboard.evidence_view import Panel, Timing
from rootward_dashboard.graph_drawing import Legend
from rootward_dashboard.names import metric_of
from rootward_dashboard.reading import Finding
from rootward_dashboard.spread import Spread, spread, whole
from rootward_dashboard.svg import Markup

CARDS = 5
CHANGES = 40
BANDS: Mapping[Band, str] = {
    Band.HIGH: "High confidence",
    Band.MEDIUM: "Medium confidence",
    Band.LOW: "Low confidence",
    Band.NONE: "No confident cause",
}
_NO_PATH = (
    "No directed path from the first candidate to the symptom was learned; "
    "shown are their strongest direct links."
)
_NO_LINK = (
    "No learned edge touches the first candidate or the symptom; "
    "shown are the strongest edges between other series."
)
_NO_EDGE = "No causal edge was learned: no series' past improves the prediction of another enough."
_REASONS = {
    "size": "Size",
    "onset": "Onset",
    "edges": "Causal edges",
    "mechanism": "Mechanism",
    "explains": "Explains",
    "pagerank": "PageRank",
    "agreement": "Agreement",
    "change": "Done before",
    "against": "Against",
}


@dataclass(frozen=True)
class Reason:
    """One bullet of evidence."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Card:
    """A candidate as the page shows it."""

    candidate: Candidate
    metric: str
    bar: Markup
    onset: str
    reasons: tuple[Reason, ...]
    spark: Markup | None


@dataclass(frozen=True)
class Arrow:
    """A row of the edge table."""

    cause: Series
    effect: Series
    lag: str
    sign: str
    weight: str
    confidence: str


@dataclass(frozen=True)
class Picture:
    """The causal graph as a drawing and as a table."""

    drawing: Markup | None
    """None where no edge was learned."""
    arrows: tuple[Arrow, ...]
    note: str
    """What the reader must know before looking, if anything."""
    nodes: int
    all_nodes: int
    all_edges: int


@dataclass(frozen=True)
class Moved:
    """A row of the table of changes."""

    change: Change
    metric: str
    after_first: str
    size: str
    before: str
    after: str
    lane: Markup


@dataclass(frozen=True)
class Vote:
    """A row of the table of second opinions."""

    method: str
    services: tuple[str, ...]
    agrees: bool
    remark: str


@dataclass(frozen=True)
class Findings:
    """All that follows from a diagnosis."""

    diagnosis: Diagnosis
    headline: str
    """The conclusion up to its first colon."""
    rest: str
    """What follows it."""
    band: str
    cards: tuple[Card, ...]
    comparison: Markup | None
    shared: Timing
    picture: Picture | None
    panels: tuple[Panel, ...]
    votes: tuple[Vote, ...]


@dataclass(frozen=True)
class IncidentView:
    """The page of one incident."""

    incident: Incident
    finding: Finding
    found: Findings | None
    moved: tuple[Moved, ...]
    symptom: str
    detected_after: str
    duration: str


def incident_view(incident: Incident, finding: Finding, now: float) -> IncidentView:
    """Everything the page of an incident shows beside its analyses."""
    end = now if incident.resolved_unix is None else incident.resolved_unix
    diagnosis = finding.diagnosis
    return IncidentView(
        incident=incident,
        finding=finding,
        found=None if diagnosis is None else _findings(incident, diagnosis),
        moved=_moved(incident),
        symptom=_symptom(incident),
        detected_after=figures.span(round(max(0.0, incident.opened_unix - incident.onset_unix))),
        duration=figures.span(round(max(0.0, end - incident.onset_unix))),
    )


def _findings(incident: Incident, diagnosis: Diagnosis) -> Findings:
    shared = evidence_view.timing(incident, diagnosis)
    headline, _, rest = diagnosis.conclusion.partition(": ")
    return Findings(
        diagnosis=diagnosis,
        headline=headline,
        rest=rest,
        band=BANDS[diagnosis.band],
        cards=_cards(diagnosis, shared),
        comparison=evidence_view.comparison(diagnosis, shared),
        shared=shared,
        picture=_picture(incident, diagnosis, shared),
        panels=evidence_view.panels(diagnosis, shared),
        votes=_votes(diagnosis),
    )


def _cards(diagnosis: Diagnosis, shared: Timing) -> tuple[Card, ...]:
    excerpts = {e.series: e for e in diagnosis.excerpts}
    most = max((c.score for c in diagnosis.candidates), default=1.0) or 1.0
    cards: list[Card] = []
    for c in diagnosis.candidates:
        excerpt = excerpts.get(c.series) if c.rank <= CARDS else None
        style = 0 if c.rank == 1 and not diagnosis.abstained else 2
        cards.append(
            Card(
                candidate=c,
                metric=metric_of(c.series),
                bar=charts.bar(c.score, 0.0, most, f"score {figures.share(c.score)}"),
                onset=_onset_words(c.onset_unix, shared),
                reasons=tuple(
                    Reason(e.kind, _REASONS.get(e.kind, e.kind.capitalize()), e.text)
                    for e in c.evidence
                ),
                spark=None if excerpt is None else evidence_view.thumbnail(excerpt, shared, style),
            )
        )
    return tuple(cards)


def _onset_words(onset: float | None, shared: Timing) -> str:
    if onset is None:
        return "no departure from its baseline found"
    if shared.symptom_onset is None or not shared.comparable:
        return f"departed at {figures.clock(onset)} UTC"
    lead = shared.symptom_onset - onset
    if abs(lead) < 0.5:
        return f"departed at {figures.clock(onset)} UTC, together with the symptom"
    side = "before" if lead > 0 else "after"
    return f"departed at {figures.clock(onset)} UTC, {figures.span(abs(lead))} {side} the symptom"


def _picture(incident: Incident, diagnosis: Diagnosis, shared: Timing) -> Picture | None:
    if shared.cause is None or shared.symptom is None:
        return None
    part = spread(diagnosis.graph, shared.cause, shared.symptom)
    note = "" if part.connected else _NO_PATH
    if not part.edges:
        part, note = whole(diagnosis.graph), _NO_LINK if diagnosis.graph.edges else _NO_EDGE
    onsets = {c.series: c.onset_unix for c in incident.changes}
    onsets |= {c.series: c.onset_unix for c in diagnosis.candidates if c.onset_unix is not None}
    legend = Legend(diagnosis.step_seconds, _roles(shared, diagnosis), onsets)
    words = _graph_words(part, shared)
    return Picture(
        drawing=graph_drawing.drawing(part, legend, words) if part.edges else None,
        arrows=arrows(part.edges, diagnosis.step_seconds),
        note=note,
        nodes=len(part.series),
        all_nodes=len(diagnosis.graph.series),
        all_edges=len(diagnosis.graph.edges),
    )


def _roles(shared: Timing, diagnosis: Diagnosis) -> dict[Series, str]:
    roles: dict[Series, str] = {}
    if shared.symptom is not None:
        roles[shared.symptom] = "symptom"
    if shared.cause is not None and not diagnosis.abstained:
        roles[shared.cause] = "cause"
    return roles


def _graph_words(part: Spread, shared: Timing) -> str:
    path = part.connected and {shared.cause, shared.symptom} <= set(part.series)
    course = "a directed path leads" if path else "no directed path leads"
    return (
        f"Causal graph of {len(part.series)} series and {len(part.edges)} edges; {course} "
        f"from {shared.cause} to {shared.symptom}. The table below lists every edge."
    )


def arrows(edges: tuple[Edge, ...], step_seconds: float | None) -> tuple[Arrow, ...]:
    """Edges as rows of a table; lags in rows where the step is not known."""
    signs = {1: "+ same way", -1: "− against", 0: "not known"}
    return tuple(
        Arrow(
            e.cause,
            e.effect,
            graph_drawing.lead(e, step_seconds),
            signs.get(e.sign, "not known"),
            figures.number(e.weight),
            figures.MISSING if e.confidence is None else figures.share(e.confidence),
        )
        for e in edges
    )


def _votes(diagnosis: Diagnosis) -> tuple[Vote, ...]:
    ranks = {c.service: c.rank for c in diagnosis.candidates}
    first = diagnosis.candidates[0].service if diagnosis.candidates else None
    votes: list[Vote] = []
    for opinion in diagnosis.opinions:
        if not opinion.services:
            votes.append(Vote(opinion.method, (), False, "names nobody"))
            continue
        choice = opinion.services[0]
        if choice == first:
            remark = "same first service"
        elif first in opinion.services:
            remark = f"puts {choice} first and {first} at {1 + opinion.services.index(first)}"
        else:
            remark = f"puts {choice} first and does not list {first}"
        if choice != first and choice in ranks:
            remark += f"; the diagnosis ranks {choice} at {ranks[choice]}"
        votes.append(Vote(opinion.method, opinion.services, choice == first, remark))
    return tuple(votes)


def _moved(incident: Incident) -> tuple[Moved, ...]:
    ordered = sorted(incident.changes, key=lambda c: (c.onset_unix, -abs(c.score)))
    first = ordered[0].onset_unix if ordered else incident.onset_unix
    axis = TimeAxis.over(c.onset_unix for c in ordered)
    air = 0.04 * (axis.end - axis.start)
    axis = TimeAxis(axis.start - air, axis.end + air)
    return tuple(
        Moved(
            change=c,
            metric=metric_of(c.series),
            after_first=figures.offset(c.onset_unix - first),
            size=_size(c.score),
            before=figures.quantity(c.before, unit_of(c.series.metric)),
            after=figures.quantity(c.after, unit_of(c.series.metric)),
            lane=charts.lane(
                c.onset_unix, axis, first, f"{figures.span(c.onset_unix - first)} after the first"
            ),
        )
        for c in ordered[:CHANGES]
    )


def _size(score: float) -> str:
    if not math.isfinite(score):
        return "far beyond its baseline"
    return f"{'▲ +' if score >= 0 else '▼ −'}{figures.number(abs(score))}"


def _symptom(incident: Incident) -> str:
    change = next((c for c in incident.changes if c.series == incident.symptom), None)
    if change is None:
        return ""
    unit = unit_of(incident.symptom.metric)
    return f"{figures.quantity(change.before, unit)} → {figures.quantity(change.after, unit)}"
