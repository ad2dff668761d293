"""Wire types of the state of the whole system."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from rootward_dashboard.schemas import Wire

ProcessState = Literal["here", "ended", "silent", "replaced"]


class ServiceOut(Wire):
    """What comes in for one service."""

    service: str
    series: int
    last_at: AwareDatetime
    last_unix: float
    age_seconds: float


class CheckOut(Wire):
    """Whether one part of the system answers."""

    name: str
    ok: bool
    reason: str = ""


class StorageOut(Wire):
    """How much room the database takes, and how much is left."""

    kind: str = Field(examples=["sqlite"])
    used_bytes: int
    free_bytes: int | None = Field(description="null where a server keeps that to itself.")


class RejectedOut(Wire):
    """Samples that were refused, by reason."""

    reason: str
    samples: int


class ProcessOut(Wire):
    """A process of ours, and what it counted since it began."""

    name: str = Field(examples=["ingest@node-1:17"])
    part: str = Field(description="`up` where all is in one process.", examples=["ingest"])
    version: str
    began_unix: float
    told_unix: float = Field(description="When it last told of itself; it does every 10 seconds.")
    state: ProcessState = Field(
        description="silent: it told nothing for a minute, and did not say that it ends; replaced: "
        "the same, but another of its part began since."
    )
    received: int
    received_per_second: float = Field(description="Lately; 0 once it is not here any more.")
    rejected: int
    late_samples: int
    dead_letters: int


class StatusOut(Wire):
    """What comes in, how fresh it is, and what waits."""

    version: str
    at: AwareDatetime
    series: int
    services: list[ServiceOut]
    last_sample_at: AwareDatetime | None
    last_sample_unix: float | None
    last_sample_age_seconds: float | None
    bus_backlog: int
    jobs_backlog: int
    open_incidents: int
    methods: int
    checks: list[CheckOut]
    instance: str = Field("", description="The process that answers: its host and number.")
    takes_in: bool = Field(False, description="Whether a process that takes samples in is known.")
    processes: list[ProcessOut] = Field(
        [], description="All that told of themselves in the last day; the counts are their sums."
    )
    received: int = Field(0, description="Samples taken in by all processes since each began.")
    received_per_second: float = Field(0.0, description="The same lately.")
    rejected: list[RejectedOut] = Field([], description="Refused by all of them, by reason.")
    late_samples: int = Field(0, description="Stored, but too late for the detector.")
    dead_letters: int = Field(0, description="Batches, jobs and bodies given up on.")
    lag_seconds: float | None = Field(
        None, description="How far the newest sample is behind the clock."
    )
    storage: StorageOut | None = None
    versions: dict[str, str] = Field({}, description="Of Rootward and of what it runs on.")
    step_seconds: float = Field(15.0, description="Distance between rows.")
