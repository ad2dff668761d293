"""An incident in three groups: root cause, first failure, impact; and who is not to blame."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.model.incident import Candidate, Change, Diagnosis, Incident
from rootward.model.kind import EXTERNAL, Kind, kind_of

_HARM = EXTERNAL - {Kind.TRAFFIC}
CLEARED = 20
"""Services that are listed as ruled out."""


@dataclass(frozen=True)
class Groups:
    """What broke, where it was felt first, and who else was hit."""

    root_cause: Candidate | None
    """None where no cause is named with confidence."""
    first_failure: Change | None
    """The first latency or error that departed; of the cause itself where it fails first."""
    impact: tuple[Change, ...]
    """The largest change of each other service that callers feel, earliest first."""


@dataclass(frozen=True)
class Cleared:
    """A service that is not held to be the cause, and why."""

    service: str
    rank: int | None
    reason: str


def groups(incident: Incident, diagnosis: Diagnosis | None) -> Groups:
    """The three groups of an incident."""
    cause = None
    if diagnosis is not None and diagnosis.candidates and not diagnosis.abstained:
        cause = diagnosis.candidates[0]
    felt = sorted(
        (c for c in incident.changes if kind_of(c.series.metric) in _HARM),
        key=lambda c: (c.onset_unix, -abs(c.score), c.series),
    )
    first = felt[0] if felt else None
    known = {cause.service if cause else "", first.series.service if first else ""}
    largest: dict[str, Change] = {}
    for change in felt:
        name = change.series.service
        if name not in known and abs(change.score) > abs(largest.get(name, change).score) - 1e-9:
            largest[name] = change
    order = sorted(largest.values(), key=lambda c: (c.onset_unix, c.series))
    return Groups(cause, first, tuple(order))


def cleared(incident: Incident, diagnosis: Diagnosis | None) -> tuple[Cleared, ...]:
    """Services that were looked at and are not held to be the cause, the most likely first."""
    if diagnosis is None:
        return ()
    named = 0 if diagnosis.abstained else 1
    listed = [
        Cleared(one.service, one.rank, reason)
        for one in diagnosis.candidates[named:]
        if (reason := _reason(one, diagnosis))
    ]
    return tuple(listed[:CLEARED])


def _reason(one: Candidate, diagnosis: Diagnosis) -> str:
    """Why a candidate is not the cause; empty where nothing speaks against it."""
    against = [e.text for e in one.evidence if e.kind == "against"]
    if against:
        return "; ".join(against)
    if one.onset_unix is None:
        return "none of its series left its baseline"
    first = diagnosis.candidates[0]
    if first.onset_unix is not None and first is not one and one.onset_unix > first.onset_unix:
        late = one.onset_unix - first.onset_unix
        return f"departed {late:.0f} s after {first.service}"
    return ""
