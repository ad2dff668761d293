"""What the detector finds, what an incident is, and what a diagnosis says about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from rootward.model.graph import CausalGraph
from rootward.model.handling import Handling
from rootward.model.series import Series


@dataclass(frozen=True)
class Change:
    """The detector's finding: a series departed from its baseline."""

    series: Series
    onset_unix: float
    """Time of the first row that departs."""
    score: float
    """Size in robust deviations of the baseline; negative for a fall."""
    before: float
    """Baseline median."""
    after: float
    """Median since the onset."""


class Status(StrEnum):
    """The life of an incident."""

    OPEN = "open"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How far the symptom is from its baseline, in three steps."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Incident:
    """One real event: the changes that belong together, from its opening to its end."""

    id: str
    """Stable and unguessable only by content: made from tenant, symptom and onset."""
    tenant: str
    onset_unix: float
    opened_unix: float
    symptom: Series
    """The series whose change opened the incident."""
    changes: tuple[Change, ...]
    title: str
    severity: Severity = Severity.WARNING
    status: Status = Status.OPEN
    last_change_unix: float = 0.0
    """When a symptom was last seen away from its baseline."""
    resolved_unix: float | None = None
    number: int | None = None
    """What people call it, INC-7; given by the store."""
    handling: Handling = field(default_factory=Handling)
    """What people made of it; only `IncidentStore.handle` changes it."""

    @property
    def services(self) -> tuple[str, ...]:
        """Services with a change, sorted."""
        return tuple(sorted({c.series.service for c in self.changes}))


class Band(StrEnum):
    """Confidence in words; the bounds are those of `rca.confidence`."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


@dataclass(frozen=True)
class Evidence:
    """One checkable reason for a candidate."""

    kind: str
    """A stable word: size, onset, edges, mechanism, explains, pagerank, agreement, against, or
    change for what was done to the service."""
    text: str
    """The reason in words, with numbers and units."""
    value: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Candidate:
    """A possible root cause: a service, and the series where its trouble is likely to begin."""

    rank: int
    """1 is the most likely."""
    service: str
    series: Series
    score: float
    """Share among all candidates; the scores of a diagnosis sum to 1."""
    evidence: tuple[Evidence, ...] = ()
    onset_unix: float | None = None
    """When its series departed from the baseline, if it did."""
    also: tuple[Series, ...] = ()
    """Other series of the service that departed, the clearest first."""


@dataclass(frozen=True)
class Excerpt:
    """A stretch of one series for a plot, with the band its baseline stayed in."""

    series: Series
    times: tuple[float, ...]
    """Unix seconds."""
    values: tuple[float | None, ...]
    """None where nothing was measured."""
    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Opinion:
    """What another method ranks first, shown beside the diagnosis."""

    method: str
    services: tuple[str, ...]
    """Its ranking, most likely first."""


@dataclass(frozen=True)
class Diagnosis:
    """Ranked causes of one incident, the causal graph, and how sure we are."""

    conclusion: str
    """The answer in one sentence."""
    candidates: tuple[Candidate, ...]
    """Most likely first, one for each service; listed but weak where `abstained`."""
    graph: CausalGraph
    confidence: float
    """Calibrated probability that the first candidate is the cause, 0 to 1."""
    band: Band
    abstained: bool
    """True: no cause is more likely right than not, `conclusion` says so."""
    onset_unix: float | None
    symptom: Series | None
    method: str
    """Name of the discovery method that learnt the graph."""
    seed: int
    start_unix: float
    end_unix: float
    step_seconds: float
    rows: int
    series_count: int
    cautions: tuple[str, ...] = ()
    """What the reader must not conclude, and what was left out and why."""
    excerpts: tuple[Excerpt, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    seconds: float = 0.0
    version: str = ""
    parameters: dict[str, float | int | str | bool] = field(default_factory=dict)
    likely: tuple[str, ...] = ()
    """Services that hold the cause in nine of ten incidents; empty where that cannot be told."""
