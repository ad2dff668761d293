"""Wire types of what to try next and of what came of it, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from rootward.model.action import ACTIONS
from rootward.model.incident import Diagnosis, Incident
from rootward.model.kind import Kind, kind_of
from rootward.model.outcome import Told, came_of, step_in_words
from rootward.model.result import Analysis, Table
from rootward_dashboard.figures import instant
from rootward_dashboard.handling import Name
from rootward_dashboard.schemas import Wire

METHOD = "next_check"
MOST_SUGGESTIONS = 2


def _action(name: str) -> str:
    if name not in ACTIONS:
        raise ValueError(f"one of {', '.join(ACTIONS)}")
    return name


ActionName = Annotated[
    str, AfterValidator(_action), Field(json_schema_extra={"enum": list(ACTIONS)})
]


class OutcomeIn(BaseModel):
    """What came of a step that was taken."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "action": "roll_back",
                    "service": "orders-db",
                    "helped": True,
                    "note": "locks were gone at once",
                }
            ]
        },
    )

    action: ActionName = Field(description="The step.")
    service: Name = Field(description="What it was done to.")
    helped: bool | None = Field(
        None,
        description="Of a remedy: whether the symptom went away; null leaves it to the symptom's "
        "own recovery. Of a check: whether it showed rightly if the service was the cause.",
    )
    note: str = Field("", max_length=2000, description="What makes you say so.")


class OutcomeOut(Wire):
    """What somebody told of a step."""

    incident_id: str
    action: str = Field(examples=["roll_back"])
    service: str
    step: str = Field(examples=["roll back the last change of orders-db"])
    remedy: bool = Field(description="A remedy, or else a check.")
    helped: float | None = Field(
        description="1 helped, 0 did not; of a check, whether it showed rightly if the service was "
        "the cause. Null where that is not known yet."
    )
    came_of_it: str = Field(description="The same in words.", examples=["it helped"])
    source: Literal["person", "sli"] = Field(
        description="Who says whether it helped: a person, or the symptom's own recovery."
    )
    actor: str = Field(description="Who told that it was done.")
    at: AwareDatetime
    at_unix: float
    note: str


class OutcomesOut(Wire):
    """What was told of steps in an incident, the earliest first."""

    items: list[OutcomeOut]


class SuggestionOut(Wire):
    """A check or a remedy that is worth much now."""

    action: str = Field(examples=["roll_back"])
    service: str
    step: str = Field(examples=["roll back the last change of orders-db"])
    remedy: bool = Field(description="A remedy, or else a check.")
    gain_minutes: float = Field(description="Minutes of the incident that it is expected to save.")
    low_minutes: float = Field(description="5 % quantile of that.")
    high_minutes: float = Field(description="95 % quantile.")
    best: float = Field(description="Chance that it is worth most of all steps.")
    why: str


def told(
    wanted: OutcomeIn, incident: Incident, found: Diagnosis | None, *, who: str, now: float
) -> Told:
    """What somebody says of a step, with the kind of series that speaks for its service."""
    return Told(
        incident.id,
        wanted.action,
        wanted.service,
        _kind(wanted.service, incident, found).value,
        who,
        now,
        None if wanted.helped is None else float(wanted.helped),
        note=wanted.note,
    )


def _kind(service: str, incident: Incident, found: Diagnosis | None) -> Kind:
    candidates = found.candidates if found else ()
    ranked = [one.series for one in candidates if one.service == service]
    changed = sorted(incident.changes, key=lambda one: -abs(one.score))
    departed = [one.series for one in changed if one.series.service == service]
    series = next(iter((*ranked, *departed)), incident.symptom)
    return kind_of(series.metric)


def outcome(value: Told) -> OutcomeOut:
    """A word on a step."""
    return OutcomeOut(
        incident_id=value.incident_id,
        action=value.action,
        service=value.service,
        step=step_in_words(value.action, value.service),
        remedy=is_remedy(value.action),
        helped=value.helped,
        came_of_it=came_of(value.action, value.helped),
        source=value.source,
        actor=value.actor,
        at=instant(value.told_unix),
        at_unix=value.told_unix,
        note=value.note,
    )


def is_remedy(action: str) -> bool:
    """Whether a step ends trouble, or else only shows where it is."""
    known = ACTIONS.get(action)
    return known is None or known.remedy


def suggestions(
    analyses: Sequence[Analysis], found: Diagnosis | None, tried: Sequence[Told]
) -> list[SuggestionOut]:
    """The steps that are worth most by the method that ranks them, but those taken already."""
    steps = {
        step_in_words(action, one.service): (action, one.service)
        for one in (found.candidates if found else ())
        for action in ACTIONS
    }
    done = {(one.action, one.service) for one in tried}
    ranked = [row for row in _ranked(analyses) if row["step"] in steps]
    fresh = [row for row in ranked if steps[str(row["step"])] not in done]
    return [_suggestion(*steps[str(row["step"])], row) for row in fresh[:MOST_SUGGESTIONS]]


def _ranked(analyses: Sequence[Analysis]) -> list[dict[str, object]]:
    """The rows of the answer with default parameters, the best first."""
    for one in analyses:
        if one.method == METHOD and one.parameters == "{}" and one.result is not None:
            table = next(b for b in one.result.blocks if isinstance(b, Table))
            return [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return []


def _suggestion(action: str, service: str, row: dict[str, object]) -> SuggestionOut:
    return SuggestionOut.model_validate(
        {
            "action": action,
            "service": service,
            "step": row["step"],
            "remedy": is_remedy(action),
            "gain_minutes": row["expected gain (min)"],
            "low_minutes": row["5 %"],
            "high_minutes": row["95 %"],
            "best": row["chance to be the best"],
            "why": row["why"],
        }
    )
