"""What was promised against what is there, in the manner of Jepsen's checkers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rootward import bootstrap
from rootward.model.incident import Incident
from rootward.settings import Settings
from tests.faults.traffic import Broken, History
from tests.real.node import differences, stored

_SLACK_SECONDS = 6.0
"""How far the onset that a detector finds may lie from the fault in the stream."""


@dataclass(frozen=True)
class Verdict:
    """Counts; every one that names a fault of ours has to be 0."""

    accepted_samples: int
    stored_samples: int
    lost: int
    """Accepted and not stored, or with another value; and faults without an incident."""
    doubled: int
    """Stored and never sent; and incidents of a fault beyond its first."""
    incidents_expected: int
    incidents_seen: int
    incidents_unexpected: int
    """Of no fault in the stream."""
    without_diagnosis: int
    examples: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        wrong = (self.lost, self.doubled, self.incidents_unexpected, self.without_diagnosis)
        return not any(wrong)


def check(database_url: str, history: History, broken: Sequence[Broken]) -> Verdict:
    """Compare once everything has settled."""
    found = stored(database_url, {at for _, at in history.sent})
    kept = {key: value for key, value in found.items() if key in history.accepted}
    wrong = differences(history.accepted, kept)
    lost = sum(found.get(key) != value for key, value in history.accepted.items())
    unknown = found.keys() - history.sent.keys()
    incidents, diagnosed = _incidents(database_url)
    mine = [[one for one in incidents if _is_of(one, fault)] for fault in broken]
    matched = {one.id for group in mine for one in group}
    missed = [fault for fault, group in zip(broken, mine, strict=True) if not group]
    again = [one for group in mine for one in group[1:]]
    stray = [one for one in incidents if one.id not in matched]
    bare = [one for one in incidents if one.id not in diagnosed]
    return Verdict(
        accepted_samples=len(history.accepted),
        stored_samples=len(found),
        lost=lost + len(missed),
        doubled=len(unknown) + len(again),
        incidents_expected=len(broken),
        incidents_seen=len(incidents),
        incidents_unexpected=len(stray),
        without_diagnosis=len(bare),
        examples=(
            *wrong,
            *(f"never sent: {key}" for key in sorted(unknown)[:3]),
            *(f"no incident: {fault}" for fault in missed),
            *(f"once more: {_told(one)}" for one in again),
            *(f"of no fault: {_told(one)}" for one in stray),
            *(f"not diagnosed: {_told(one)}" for one in bare),
        ),
    )


def all_diagnosed(database_url: str, broken: Sequence[Broken]) -> bool:
    """Whether each fault has an incident, and each incident its diagnosis."""
    incidents, diagnosed = _incidents(database_url)
    known = all(any(_is_of(one, fault) for one in incidents) for fault in broken)
    return known and all(one.id in diagnosed for one in incidents)


def _incidents(database_url: str) -> tuple[list[Incident], set[str]]:
    platform = bootstrap.build(Settings(database_url=database_url))
    try:
        found: list[Incident] = []
        cursor = None
        while True:
            page = platform.incidents.page(limit=100, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        found.sort(key=lambda one: one.onset_unix)
        diagnosed = {one.id for one in found if platform.incidents.diagnosis(one.id) is not None}
        return found, diagnosed
    finally:
        platform.close()


def _is_of(incident: Incident, fault: Broken) -> bool:
    early, late = fault.begin_unix - _SLACK_SECONDS, fault.end_unix + _SLACK_SECONDS
    return incident.symptom.service == fault.service and early <= incident.onset_unix <= late


def _told(incident: Incident) -> str:
    return (
        f"INC-{incident.number} {incident.title} onset {incident.onset_unix:.1f} "
        f"opened {incident.opened_unix:.1f} resolved {incident.resolved_unix}"
    )
