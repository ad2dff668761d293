"""Wire types of the RCA API for methods: what they are, and what they answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from rootward.model.result import (
    Bars,
    Caveat,
    Figure,
    Heatmap,
    Inputs,
    Lines,
    Note,
    Scatter,
    Table,
)
from rootward_dashboard.schemas import (
    GraphOut,
    Wire,
)


class GraphBlockOut(Wire):
    """A causal graph as a block of a result."""

    kind: Literal["graph"] = "graph"
    title: str
    graph: GraphOut


BlockOut = Annotated[
    Table | Lines | Bars | Heatmap | Scatter | Note | GraphBlockOut, Field(discriminator="kind")
]


class ResultOut(Wire):
    """A method's answer."""

    answer: str
    blocks: list[BlockOut]
    cautions: list[str]
    status: Literal["ok", "weak"] = Field(description="Weak: a caveat says which check failed.")
    caveats: list[Caveat]
    headline: Figure | None = Field(description="The number that the answer rests on.")
    baseline: Figure | None = Field(description="The same by the simple method it names.")
    inputs: Inputs | None = Field(description="What was really looked at, and what was dropped.")
    found: bool | None = Field(description="Whether a method that detects claims to have found.")


class AnalysisOut(Wire):
    """One method run on one incident."""

    method: str
    question: str
    parameters: dict[str, JsonValue]
    status: Literal["ok", "weak", "not_applicable", "failed", "running"]
    reason: str
    progress: float = Field(description="Share of the work that is done, while it runs.")
    seconds: float
    cpu_seconds: float
    seed: int
    settings: dict[str, JsonValue] = Field(description="Every parameter as it was used.")
    versions: dict[str, str]
    result: ResultOut | None


class MethodOut(Wire):
    """A method, and whether the workers can run it."""

    name: str
    family: str
    question: str
    summary: str
    paper: str
    default: bool = Field(description="Run on every incident.")
    version: str
    available: bool
    unavailable: str = Field(description="Why no worker can run it; empty where they can.")
    provenance: str = Field(description="paper, reconstruction or assumed.")
    provenance_note: str
    scope: str = Field(description="incident, fleet, experiment, model or text.")
    anchors: list[str] = Field(description="Where on the page of an incident it is offered.")
    needs: list[str] = Field(description="What must be known of the incident beside its series.")
    cost: str = Field(description="instant (under 2 s), seconds (under 10) or minutes.")
    trigger: str = Field(description="incident: runs by itself; request: when someone asks.")
    assumptions: list[str]
    limits: list[str]
    library: str = Field(description="Library that it needs and that may be missing.")
    level: float | None = Field(description="Share of false claims that it keeps to.")
    parameters_schema: dict[str, JsonValue]


class MethodsOut(Wire):
    """The catalogue of methods."""

    items: list[MethodOut]


class AnalysisIn(BaseModel):
    """Which method to run, and with which parameters."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(examples=["pagerank"])
    params: dict[str, JsonValue] = Field(default_factory=dict)
