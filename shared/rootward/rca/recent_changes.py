"""What was done to a service just before its incident, as evidence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.incident import Candidate, Diagnosis, Evidence
from rootward.model.wording import clock, duration

BEFORE_SECONDS = 1800.0
"""How long before an onset something may have been done to count as just before it."""
_MOST = 3
_DONE = {
    ChangeKind.DEPLOY: "was deployed",
    ChangeKind.CONFIG: "got another configuration",
    ChangeKind.SCALING: "was scaled",
    ChangeKind.OTHER: "was changed",
}


def with_changes(diagnosis: Diagnosis, events: Sequence[ChangeEvent]) -> Diagnosis:
    """The diagnosis, with what was done to its candidates just before the onset as evidence.

    Ranking and confidence stay as they are: that something was done is no proof that it harmed.
    """
    onset = diagnosis.onset_unix
    if onset is None or not events:
        return diagnosis
    near = [e for e in events if 0 <= onset - e.at_unix <= BEFORE_SECONDS]
    candidates = tuple(_told(one, near, onset) for one in diagnosis.candidates)
    return replace(diagnosis, candidates=candidates)


def _told(candidate: Candidate, events: Sequence[ChangeEvent], onset: float) -> Candidate:
    own = [e for e in events if e.concerns(candidate.service)][-_MOST:]
    if not own:
        return candidate
    told = (_evidence(e, candidate.service, onset) for e in own)
    return replace(candidate, evidence=(*candidate.evidence, *told))


def _evidence(event: ChangeEvent, service: str, onset: float) -> Evidence:
    ahead = onset - event.at_unix
    when = f"at {clock(event.at_unix)}, {duration(ahead)} before the onset"
    text = f"{service} {_DONE[event.kind]} {when}: {event.title}."
    if event.service != service:
        text = f"Where {service} runs, {when}: {event.title}."
    return Evidence("change", text, ahead, "s")
