"""Wire types of what is looked at beside a diagnosis: curves, time line, groups, calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import AwareDatetime, Field

from rootward.model.kind import unit_of
from rootward.model.placement import Whereabouts, is_named
from rootward.model.series import Series
from rootward_dashboard import wire
from rootward_dashboard.curves import Curve
from rootward_dashboard.grouping import Cleared, Groups
from rootward_dashboard.schemas import CandidateOut, ChangeOut, Figure, SeriesOut, Wire

MOST_PODS = 50
"""Pods of a service that are named."""


class BandOut(Wire):
    """Median and three robust deviations of the baseline."""

    low: Figure
    middle: Figure
    high: Figure


class CurveOut(Wire):
    """One series over a stretch of time."""

    series: SeriesOut
    unit: str
    times_unix: list[float]
    values: list[Figure] = Field(description="null where nothing was measured.")
    band: BandOut | None = Field(description="Where it stayed before the onset, if that was said.")


class CurvesOut(Wire):
    """Series for plots, at most as many points as were asked for; extremes are kept."""

    items: list[CurveOut]
    missing: list[str] = Field(description="Keys without a sample there.")
    start_unix: float
    end_unix: float
    step_seconds: float = Field(description="Distance of the rows that the points come from.")


class HappeningOut(Wire):
    """Something on the time line of an incident."""

    lane: Literal["change", "alert", "change_point", "notification", "action", "status"]
    at: AwareDatetime
    at_unix: float
    end_unix: float | None = None
    service: str = ""
    title: str
    text: str = ""
    kind: str = Field("", description="deploy, firing, acknowledged, …")
    url: str = ""
    score: Figure = None


class TimelineOut(Wire):
    """What happened around an incident, the earliest first."""

    start_unix: float
    end_unix: float
    onset_unix: float
    items: list[HappeningOut]


class GroupsOut(Wire):
    """What broke, where it was felt first, and who else was hit."""

    root_cause: CandidateOut | None = Field(description="null where none is named.")
    first_failure: ChangeOut | None
    impact: list[ChangeOut] = Field(description="One change for each other service, in order.")


class RuledOutOut(Wire):
    """A service that is not held to be the cause, and why."""

    service: str
    rank: int | None
    reason: str


class SimilarOut(Wire):
    """An earlier incident that looks alike."""

    id: str
    name: str
    title: str
    status: str
    opened_at: AwareDatetime
    opened_unix: float
    score: float = Field(description="0 to 1: what services and symptom have in common.")
    shared_services: list[str]
    same_symptom: bool
    first_cause: str | None
    resolution: str = Field(description="What was said when it was resolved.")


class SimilarsOut(Wire):
    """Earlier incidents that look alike, the most alike first."""

    items: list[SimilarOut]


class PodOut(Wire):
    """A pod and where it runs."""

    namespace: str
    name: str
    node: str = Field(description="Empty until it has one.")
    series: list[str] = Field([], description="Keys of the causes' series that its labels name.")


class RunsOut(Wire):
    """Where a service runs now in the Kubernetes cluster that is watched."""

    workloads: list[str] = Field(description="As namespace/name.")
    pods: int = Field(description="How many.")
    nodes: list[str]
    behind: list[str] = Field(
        description="Kubernetes services that lead to its pods, as namespace/name."
    )
    running: list[PodOut] = Field([], description=f"Its pods by name, {MOST_PODS} at most.")
    seen_unix: float | None = Field(None, description="When the cluster last told this.")


class NodeOut(Wire):
    """A service."""

    service: str
    series: int
    last_unix: float
    open_incidents: list[str] = Field(description="Names of open incidents it is part of.")
    runs: RunsOut | None = Field(None, description="Null where no cluster is watched that has it.")


class CallOut(Wire):
    """An arrow between services."""

    source: str
    target: str
    kind: Literal["calls", "learned"] = Field(
        description="calls: labels say that the source calls the target; learned: in recent "
        "diagnoses the past of the source improved the prediction of the target."
    )
    incidents: list[str] = Field([], description="Where it was learned.")
    weight: Figure = None


class TopologyOut(Wire):
    """Services and what is known of who affects whom."""

    services: list[NodeOut]
    edges: list[CallOut]


def curve(value: Curve) -> CurveOut:
    """A curve."""
    band = value.band
    return CurveOut(
        series=wire.series(value.series),
        unit=unit_of(value.series.metric),
        times_unix=list(value.times),
        values=list(value.values),
        band=None if band is None else BandOut(low=band.low, middle=band.middle, high=band.high),
    )


def groups(value: Groups) -> GroupsOut:
    """The three groups."""
    first = value.first_failure
    return GroupsOut(
        root_cause=None if value.root_cause is None else wire.candidate(value.root_cause),
        first_failure=None if first is None else wire.change(first),
        impact=[wire.change(one) for one in value.impact],
    )


def ruled_out(value: Cleared) -> RuledOutOut:
    """A service that is not held to be the cause."""
    return RuledOutOut(service=value.service, rank=value.rank, reason=value.reason)


def runs(found: Whereabouts, shown: Iterable[Series] = ()) -> RunsOut:
    """Where a service runs, and which of some series are measured at which pod."""
    named = tuple(shown)
    return RunsOut(
        workloads=list(found.workloads),
        pods=found.pods,
        nodes=list(found.nodes),
        behind=list(found.behind),
        running=[
            PodOut(
                namespace=namespace,
                name=pod.name,
                node=pod.node,
                series=[one.key for one in named if is_named(pod, one)],
            )
            for namespace, pod in found.running[:MOST_PODS]
        ],
        seen_unix=found.seen_unix,
    )
