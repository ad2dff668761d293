"""What was done to a service just before its incident, as evidence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rootward.model.change_event import ChangeEvent, just_before
from rootward.model.incident import Candidate, Diagnosis, Evidence

_MOST = 3


def with_changes(diagnosis: Diagnosis, events: Sequence[ChangeEvent]) -> Diagnosis:
    """The diagnosis, with what was done to its candidates just before the onset as evidence.

    Ranking and confidence stay as they are: that something was done is no proof that it harmed.
    """
    onset = diagnosis.onset_unix
    if onset is None or not events:
        return diagnosis
    candidates = tuple(_told(one, events, onset) for one in diagnosis.candidates)
    return replace(diagnosis, candidates=candidates)


def _told(candidate: Candidate, events: Sequence[ChangeEvent], onset: float) -> Candidate:
    service = candidate.service
    told = tuple(
        Evidence("change", event.in_words(service, onset), onset - event.at_unix, "s")
        for event in just_before(events, service, onset)[-_MOST:]
    )
    return replace(candidate, evidence=(*candidate.evidence, *told)) if told else candidate
