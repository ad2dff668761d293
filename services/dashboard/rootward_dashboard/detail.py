"""The wire type of an incident with everything known about it."""

from __future__ import annotations

from pydantic import Field

from rootward_dashboard.answers import AnalysisOut
from rootward_dashboard.handling import RelatedOut
from rootward_dashboard.judging import FeedbackOut
from rootward_dashboard.looking import GroupsOut, RuledOutOut, RunsOut
from rootward_dashboard.schemas import (
    AlertOut,
    ChangeEventOut,
    ChangeOut,
    DiagnosisOut,
    IncidentOut,
    ProgressOut,
    Wire,
)
from rootward_dashboard.trying import OutcomeOut, SuggestionOut


class IncidentDetailOut(Wire):
    """An incident with everything known about it."""

    incident: IncidentOut
    changes: list[ChangeOut]
    diagnosis: DiagnosisOut | None
    analyses: list[AnalysisOut]
    alerts: list[AlertOut] = Field([], description="Earliest start first.")
    change_events: list[ChangeEventOut] = Field(
        [], description="What was done to the system, from half an hour before the onset on."
    )
    merged_into: str | None = Field(
        None, description="Name of this incident where the one that was asked for went into it."
    )
    groups: GroupsOut | None = None
    ruled_out: list[RuledOutOut] = Field([], description="Who is not to blame, and why.")
    feedback: list[FeedbackOut] = Field([], description="What people said about its causes.")
    suggestions: list[SuggestionOut] = Field(
        [], description="The one or two checks or remedies that are worth most now."
    )
    outcomes: list[OutcomeOut] = Field([], description="What was told of steps that were taken.")
    progress: ProgressOut | None = Field(
        None, description="While the first diagnosis runs; later ones tell of it by events alone."
    )
    related: list[RelatedOut] = Field([], description="What was merged into it or linked to it.")
    runs: dict[str, RunsOut] = Field(
        {}, description="By service: where it runs now, of those that a watched cluster knows."
    )
