"""Wire types of what people make of incidents, and their values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from rootward.model.handling import Activity
from rootward.model.summary import Facets, Summary
from rootward_dashboard.figures import instant
from rootward_dashboard.names import incident_name
from rootward_dashboard.schemas import Wire

Key = Annotated[str, Field(min_length=1, max_length=128, examples=["INC-7"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class ActivityOut(Wire):
    """One line of the log of an incident."""

    id: int
    incident_id: str
    at: AwareDatetime
    at_unix: float
    actor: str = Field(description="Who did it; empty for Rootward itself.")
    action: str = Field(examples=["acknowledged"])
    text: str
    others: list[str] = Field(description="Ids of other incidents that it concerns.")


class ActivitiesOut(Wire):
    """The log of an incident, the earliest line first."""

    items: list[ActivityOut]


class CountOut(Wire):
    """How many incidents have a value."""

    value: str
    count: int


class FacetsOut(Wire):
    """How many incidents there are of each kind."""

    status: list[CountOut]
    severity: list[CountOut]
    service: list[CountOut] = Field(description="Over the newest 1000 that fit.")
    assignee: list[CountOut] = Field(description="An empty value stands for nobody.")
    acknowledged: int
    total: int = Field(description="Incidents that fit all filters.")


class RelatedOut(Wire):
    """Another incident that belongs to this one."""

    id: str
    name: str
    title: str
    status: str
    how: Literal["merged", "linked"]


class NoteIn(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000)


class CommentIn(BaseModel):
    """What somebody says about an incident."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=10_000, examples=["rolled back orders v2.8.1"])


class IncidentPatch(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    assignee: str | None = Field(
        max_length=200, description="Who has it from now on; null or empty for nobody."
    )


class OthersIn(BaseModel):
    """Other incidents, by id or by name."""

    model_config = ConfigDict(extra="forbid")

    incidents: list[Key] = Field(min_length=1, max_length=100, examples=[["INC-8", "INC-9"]])


class SplitIn(BaseModel):
    """Which changes get an incident of their own."""

    model_config = ConfigDict(extra="forbid")

    services: list[Name] = Field([], max_length=100, examples=[["shipping"]])
    series: list[Annotated[str, Field(min_length=1, max_length=8192)]] = Field(
        [], max_length=200, description="Keys of series."
    )
    title: str = Field("", max_length=200)


def activity(line: Activity) -> ActivityOut:
    """A line of the log."""
    return ActivityOut(
        id=line.id,
        incident_id=line.incident_id,
        at=instant(line.at_unix),
        at_unix=line.at_unix,
        actor=line.actor,
        action=line.action,
        text=line.text,
        others=list(line.others),
    )


def facets(value: Facets) -> FacetsOut:
    """Counts, the largest first."""

    def counts(of: dict[str, int]) -> list[CountOut]:
        order = sorted(of.items(), key=lambda pair: (-pair[1], pair[0]))
        return [CountOut(value=name, count=count) for name, count in order]

    return FacetsOut(
        status=counts(dict(value.statuses)),
        severity=counts(dict(value.severities)),
        service=counts(dict(value.services)),
        assignee=counts(dict(value.assignees)),
        acknowledged=value.acknowledged,
        total=value.total,
    )


def related(value: Summary, how: Literal["merged", "linked"]) -> RelatedOut:
    """Another incident in short."""
    one = value.incident
    return RelatedOut(
        id=one.id, name=incident_name(one), title=one.title, status=one.status.value, how=how
    )
