"""Wire types of diagnoses by request, of feedback and of our accuracy, and their values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from rootward.model.feedback import Accuracy, Feedback, Verdict
from rootward.model.run import DiagnosisRun, RunState
from rootward_dashboard import wire
from rootward_dashboard.figures import instant
from rootward_dashboard.handling import Name
from rootward_dashboard.schemas import DiagnosisOut, ProvisionalOut, Wire

_NUMBER = re.compile(r"\d{1,11}(\.\d*)?")


def _aware(value: object) -> object:
    """Unix seconds as a time: pydantic would take large numbers for milliseconds."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value < 1e11:
            raise ValueError("a Unix time in seconds, or RFC 3339")
        return datetime.fromtimestamp(value, UTC)
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_aware)]
"""RFC 3339, or Unix seconds."""


class DiagnosisIn(BaseModel):
    """Which stretch of time is to be explained."""

    model_config = ConfigDict(extra="forbid")

    start: Time = Field(description="Where what is to be explained begins.")
    end: Time
    services: list[Name] = Field([], max_length=200, description="Only these; empty: all.")


class StepOut(Wire):
    """A part of the work that was reached."""

    name: str = Field(examples=["graph"])
    at: AwareDatetime
    at_unix: float


class RunOut(Wire):
    """A diagnosis that somebody asked for."""

    id: str
    state: RunState
    asked_by: str
    created_at: AwareDatetime
    created_unix: float
    start_at: AwareDatetime
    start_unix: float
    end_at: AwareDatetime
    end_unix: float
    services: list[str]
    steps: list[StepOut] = Field(
        description="window, frame, onset, graph, ranking, evidence, as far as they were reached."
    )
    reason: str = Field(description="Why it failed.")
    diagnosis: DiagnosisOut | None
    provisional: list[ProvisionalOut] = Field(
        [], description="The first candidates before the causal graph is learnt, while it runs."
    )
    url: str


class RunPageOut(Wire):
    """A page of diagnoses by request, newest first; without their outcome."""

    items: list[RunOut]
    next_cursor: str | None


class FeedbackIn(BaseModel):
    """What somebody says about a candidate."""

    model_config = ConfigDict(extra="forbid")

    service: Name
    verdict: Verdict
    reason: str = Field("", max_length=2000)


class FeedbackOut(Wire):
    """A word on a candidate."""

    incident_id: str
    service: str
    verdict: Verdict
    reason: str
    actor: str
    at: AwareDatetime
    at_unix: float
    rank: int | None = Field(description="Where the diagnosis listed the service then.")


class FeedbacksOut(Wire):
    """What was said about the candidates of an incident."""

    items: list[FeedbackOut]


class AccuracyOut(Wire):
    """How good our rankings were, over incidents whose cause people confirmed."""

    incidents: int
    ac_at_1: float | None = Field(description="Share whose confirmed cause was ranked first.")
    ac_at_3: float | None
    mean_reciprocal_rank: float | None
    abstained: float | None = Field(description="Share whose diagnosis named no cause.")
    rejected: int = Field(description="Incidents whose first candidate was only rejected.")
    partly: int


class WeekOut(AccuracyOut):
    """The same for one week."""

    start_at: AwareDatetime
    start_unix: float


class AccuracyOverTimeOut(AccuracyOut):
    """All of it, and week by week."""

    since_at: AwareDatetime
    since_unix: float
    weeks: list[WeekOut]


def run(value: DiagnosisRun, root: str, *, whole: bool = True) -> RunOut:
    """A run; in lists without its outcome."""
    found = value.diagnosis if whole else None
    early = () if value.state.over else value.provisional
    return RunOut(
        id=value.id,
        state=value.state,
        asked_by=value.asked_by,
        created_at=instant(value.created_unix),
        created_unix=value.created_unix,
        start_at=instant(value.start_unix),
        start_unix=value.start_unix,
        end_at=instant(value.end_unix),
        end_unix=value.end_unix,
        services=list(value.services),
        steps=[StepOut(name=s.name, at=instant(s.at_unix), at_unix=s.at_unix) for s in value.steps],
        reason=value.reason,
        diagnosis=None if found is None else wire.diagnosis("", found),
        provisional=[wire.provisional(one) for one in early],
        url=f"{root}/api/v1/diagnoses/{value.id}",
    )


def feedback(value: Feedback) -> FeedbackOut:
    """A word on a candidate."""
    return FeedbackOut(
        incident_id=value.incident_id,
        service=value.service,
        verdict=value.verdict,
        reason=value.reason,
        actor=value.actor,
        at=instant(value.at_unix),
        at_unix=value.at_unix,
        rank=value.rank,
    )


def figures(value: Accuracy) -> dict[str, int | float | None]:
    """The fields of an accuracy."""
    return {
        "incidents": value.incidents,
        "ac_at_1": value.first,
        "ac_at_3": value.first_three,
        "mean_reciprocal_rank": value.mean_reciprocal_rank,
        "abstained": value.abstained,
        "rejected": value.rejected,
        "partly": value.partly,
    }
