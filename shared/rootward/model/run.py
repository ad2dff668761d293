"""A diagnosis that somebody asked for: of a stretch of time that need not be an incident."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from rootward.model.incident import Candidate, Diagnosis


class RunState(StrEnum):
    """The life of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self in (RunState.READY, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True)
class Step:
    """A part of the work that was reached."""

    name: str
    """A stable word: window, frame, onset, graph, ranking, evidence."""
    at_unix: float


@dataclass(frozen=True)
class DiagnosisRun:
    """What was asked, how far it is, and what came of it."""

    id: str
    tenant: str
    asked_by: str
    created_unix: float
    start_unix: float
    """Where what is to be explained begins; the rows before it are the baseline."""
    end_unix: float
    services: tuple[str, ...] = ()
    """Only these; empty for all."""
    state: RunState = RunState.QUEUED
    steps: tuple[Step, ...] = ()
    reason: str = ""
    """Why it failed."""
    diagnosis: Diagnosis | None = None
    provisional: tuple[Candidate, ...] = ()
    """The first candidates, without evidence, as they stood before a causal graph was learnt."""

    def reached(self, name: str, now: float) -> DiagnosisRun:
        """The run at its next step."""
        return replace(self, state=RunState.RUNNING, steps=(*self.steps, Step(name, now)))
