"""Wire types of the RCA API: what /openapi.json describes and every answer is made of."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from rootward.model.alert import AlertStatus
from rootward.model.change_event import ChangeKind
from rootward.model.incident import Band, Severity, Status


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


Figure = Annotated[float | None, BeforeValidator(_finite)]
"""A number, null where there is none: JSON knows neither NaN nor infinity."""


class Wire(BaseModel):
    """Base of all wire types."""

    model_config = ConfigDict(frozen=True)


class FieldError(Wire):
    """One wrong field of a request."""

    detail: str
    parameter: str | None = None
    """Name of the query or path parameter."""
    pointer: str | None = None
    """JSON pointer into the body."""


class ProblemOut(Wire):
    """An error as RFC 9457 describes it; served as application/problem+json."""

    type: str = Field(examples=["urn:rootward:problem:not_found"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="Path of the request.")
    code: str = Field(description="A stable word for programs.", examples=["not_found"])
    errors: list[FieldError] = []


class SeriesOut(Wire):
    """A metric with its labels."""

    key: str = Field(examples=['latency_p99_seconds{service="checkout"}'])
    name: str = Field(examples=["checkout|latency_p99_seconds"])
    metric: str
    service: str
    labels: dict[str, str]


class KnownSeriesOut(SeriesOut):
    """A series that samples came for."""

    last_at: AwareDatetime
    last_unix: float


class ChangeOut(Wire):
    """A series that departed from its baseline."""

    series: SeriesOut
    onset_at: AwareDatetime
    onset_unix: float
    score: Figure = Field(description="Size in robust deviations of the baseline; signed.")
    before: Figure = Field(description="Baseline median.")
    after: Figure = Field(description="Median since the onset.")
    unit: str


class AlertOut(Wire):
    """An alert that fires, or did."""

    key: str
    name: str = Field(examples=["HighLatency"])
    status: AlertStatus
    service: str = Field(description="Empty where its labels name none.")
    summary: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: AwareDatetime
    starts_unix: float
    ends_at: AwareDatetime | None
    ends_unix: float | None
    seen_unix: float = Field(description="When its sender last spoke of it.")
    url: str
    incident_id: str | None
    opened: bool = Field(description="Whether the incident is there because of it.")


class AlertPageOut(Wire):
    """A page of alerts, the last that came first."""

    items: list[AlertOut]
    next_cursor: str | None


class ChangeEventOut(Wire):
    """A deploy, a change of configuration, a scaling."""

    id: str
    source: str
    type: str
    kind: ChangeKind
    service: str = Field(description="Empty where it concerns all services.")
    title: str
    at: AwareDatetime
    at_unix: float
    author: str
    url: str
    details: dict[str, str]


class ChangeEventPageOut(Wire):
    """A page of change events, the last that came first."""

    items: list[ChangeEventOut]
    next_cursor: str | None


class DiagnosisState(Wire):
    """Where the diagnosis of an incident stands."""

    state: Literal["ready", "pending", "failed"]
    reason: str = Field("", description="Why it failed; empty otherwise.")
    conclusion: str = ""
    band: Band | None = None
    confidence: float | None = None
    abstained: bool | None = None
    first_cause: str | None = Field(None, description="Service of the first candidate.")


class IncidentOut(Wire):
    """An incident as the list shows it."""

    id: str
    number: int | None = Field(examples=[7])
    name: str = Field(examples=["INC-7"])
    title: str
    status: Status
    severity: Severity
    services: list[str]
    symptom: SeriesOut
    onset_at: AwareDatetime
    onset_unix: float
    opened_at: AwareDatetime
    opened_unix: float
    resolved_at: AwareDatetime | None
    resolved_unix: float | None
    duration_seconds: float = Field(description="From onset to resolution, or to now.")
    acknowledged_at: AwareDatetime | None = None
    acknowledged_unix: float | None = None
    acknowledged_by: str = ""
    assignee: str = Field("", description="Who has it; empty while nobody does.")
    resolved_by: str = Field("", description="Who resolved it; empty where it ended by itself.")
    version: int = Field(1, description="Its ETag: counts what people changed, and its status.")
    merged: list[str] = Field([], description="Ids of the incidents that went into it.")
    links: list[str] = Field([], description="Ids of related incidents.")
    diagnosis: DiagnosisState
    url: str
    page_url: str


class IncidentPageOut(Wire):
    """A page of incidents, newest first."""

    items: list[IncidentOut]
    next_cursor: str | None = Field(description="Ask for the next page with it; null at the end.")


class EvidenceOut(Wire):
    """One checkable reason for a candidate."""

    kind: str = Field(examples=["onset"])
    text: str
    value: Figure
    unit: str


class CandidateOut(Wire):
    """A possible root cause."""

    rank: int
    service: str
    series: SeriesOut
    score: float = Field(description="Share among all candidates; they sum to 1.")
    onset_at: AwareDatetime | None
    onset_unix: float | None
    also: list[SeriesOut] = Field(description="Other series of the service that departed.")
    evidence: list[EvidenceOut]


class EdgeOut(Wire):
    """The past of `cause` improves the prediction of `effect`; both are series keys."""

    cause: str
    effect: str
    lag_rows: int
    lag_seconds: float | None
    weight: Figure
    sign: int = Field(description="1 the same way, -1 against each other, 0 not known.")
    confidence: float | None


class GraphOut(Wire):
    """A causal graph."""

    series: list[SeriesOut]
    edges: list[EdgeOut]


class SpreadOut(Wire):
    """The part of a causal graph that tells how a cause reached the symptom; small enough to read.

    Where no edge touches either of them: the strongest edges of the whole graph.
    """

    series: list[str] = Field(description="Keys in drawing order, the cause first.")
    edges: list[EdgeOut] = Field(description="Strongest first.")
    connected: bool = Field(description="Whether a directed path leads from cause to symptom.")


class ExcerptOut(Wire):
    """A stretch of one series with the band its baseline stayed in."""

    series: SeriesOut
    times_unix: list[float]
    values: list[Figure]
    low: Figure
    high: Figure
    unit: str


class OpinionOut(Wire):
    """What another method ranks first."""

    method: str
    services: list[str]


class DiagnosisOut(Wire):
    """Ranked causes of one incident, the graph behind them, and how to reproduce them."""

    incident_id: str
    conclusion: str
    band: Band
    confidence: float = Field(description="Probability that the first candidate is the cause.")
    abstained: bool = Field(description="True: no cause is more likely right than not.")
    likely: list[str] = Field(
        description="Services that hold the cause in nine of ten incidents; empty where not known."
    )
    onset_at: AwareDatetime | None
    onset_unix: float | None
    symptom: SeriesOut | None
    candidates: list[CandidateOut]
    graph: GraphOut
    spread: SpreadOut | None = Field(
        None, description="From the first candidate to the symptom; null where one is not known."
    )
    opinions: list[OpinionOut]
    cautions: list[str]
    excerpts: list[ExcerptOut]
    method: str
    parameters: dict[str, float | int | str | bool]
    seed: int
    version: str
    graph_version: int | None = Field(
        None,
        description="Of the kept graph of the symptom's service: the version in force at the "
        "onset, see /graphs; null where there was none.",
    )
    start_at: AwareDatetime
    start_unix: float
    end_at: AwareDatetime
    end_unix: float
    step_seconds: float
    rows: int
    series_count: int
    seconds: float = Field(description="How long the diagnosis took.")


class ProvisionalOut(Wire):
    """A candidate as it stood before the causal graph was learnt; it may still change."""

    service: str
    series: str = Field(description="Its key.")
    score: float
    onset_unix: float | None


class ProgressOut(Wire):
    """How far the diagnosis of an incident is that runs just now."""

    step: str = Field(description="window, frame, onset, graph, ranking or evidence.")
    at_unix: float = Field(description="When it was reached.")
    candidates: list[ProvisionalOut] = Field(
        description="The first of them, once they are ranked for the first time."
    )


class QueuedOut(Wire):
    """A job that was queued; its outcome appears at `url`."""

    job: str
    incident_id: str
    state: Literal["queued"] = "queued"
    url: str


class SeriesPageOut(Wire):
    """A page of known series, by metric, then labels."""

    items: list[KnownSeriesOut]
    next_cursor: str | None
    total: int
