"""How incidents become one, and one becomes two. Pure; the detector's findings are kept."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import replace

from rootward.errors import Conflict, InvalidParameters
from rootward.model.handling import Activity, Handling
from rootward.model.incident import Change, Incident, Severity, Status
from rootward.model.series import Series
from rootward.ports.incidents import Act, Deed
from rootward_dashboard.deeds import without_link

MOST_CHANGES = 200
"""Changes that an incident lists, the largest first."""
_NAMESPACE = uuid.UUID("2f4a5e1c-6a3e-5f0b-8c35-91c1d7f5a6be")


def merge(who: str, now: float) -> Act:
    """Let the first incident take in the others, and what went into those before."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        into, *rest = asked
        others = [one for one in rest if not one.handling.merged_into]
        ids = {one.id for one in others}
        carried = [one for one in rest if one.handling.merged_into]
        _check_merge(into, others, carried)
        made = into
        deeds = []
        for one in others:
            made, brought = _taken_in(made, one)
            handling = replace(
                one.handling, merged_into=into.id, brought=brought, absorbed=(), links=()
            )
            ended = one.resolved_unix if one.status is Status.RESOLVED else now
            gone = replace(one, handling=handling, status=Status.RESOLVED, resolved_unix=ended)
            line = Activity(one.id, now, who, "merged_into", others=(into.id,))
            deeds.append(Deed(gone, line))
        for one in carried:
            handling = replace(one.handling, merged_into=into.id)
            line = Activity(one.id, now, who, "merged_into", others=(into.id,))
            deeds.append(Deed(replace(one, handling=handling), line))
        absorbed = (*into.handling.absorbed, *(one.id for one in rest))
        made = without_link(made, *ids)
        made = replace(made, handling=replace(made.handling, absorbed=absorbed))
        line = Activity(into.id, now, who, "merged", others=tuple(one.id for one in others))
        return [Deed(made, line), *deeds]

    return act


def split(services: Sequence[str], series: Sequence[str], title: str, who: str, now: float) -> Act:
    """Give the changes of some services or series an incident of their own."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        (source,) = asked
        moved = [
            c for c in source.changes if c.series.service in services or c.series.key in series
        ]
        _check_split(source, moved)
        made = _split_off(source, moved, title, now)
        kept = tuple(c for c in source.changes if c not in moved)
        handling = replace(
            source.handling,
            links=(*source.handling.links, made.id),
            given_away=(*source.handling.given_away, *(c.series for c in moved)),
        )
        left = replace(source, changes=kept, handling=handling)
        text = ", ".join(sorted({c.series.service for c in moved}))
        return [
            Deed(made, Activity(made.id, now, who, "split_off", text, (source.id,))),
            Deed(left, Activity(source.id, now, who, "split", text, (made.id,))),
        ]

    return act


def separate(who: str, now: float) -> Act:
    """Let an incident go again that went into the first one, with the changes it brought."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        into, gone = asked
        if gone.handling.merged_into != into.id:
            raise Conflict(f"INC-{gone.number} did not go into INC-{into.number}")
        kept = tuple(c for c in into.changes if c.series not in gone.handling.brought)
        absorbed = tuple(i for i in into.handling.absorbed if i != gone.id)
        left = replace(
            into,
            changes=kept,
            onset_unix=min((c.onset_unix for c in kept), default=into.onset_unix),
            handling=replace(into.handling, absorbed=absorbed),
        )
        is_open = into.status is Status.OPEN
        back = replace(
            gone,
            status=into.status,
            resolved_unix=None if is_open else gone.resolved_unix,
            handling=replace(gone.handling, merged_into="", brought=()),
        )
        return [
            Deed(left, Activity(into.id, now, who, "separated", others=(gone.id,))),
            Deed(back, Activity(gone.id, now, who, "separated", others=(into.id,))),
        ]

    return act


def _check_merge(into: Incident, others: list[Incident], carried: list[Incident]) -> None:
    if not others or any(one.id == into.id for one in others):
        raise InvalidParameters("name at least one other incident to merge")
    if into.handling.merged_into:
        raise Conflict(f"INC-{into.number} was merged just now; ask for the one that it went into")
    due = {i for one in others for i in one.handling.absorbed}
    if {one.id for one in carried} != due:
        raise Conflict("one of the incidents was merged just now; try again")


def _taken_in(into: Incident, one: Incident) -> tuple[Incident, tuple[Series, ...]]:
    """The incident with what another one knows, and the series that are new to it."""
    known = {c.series: c for c in into.changes}
    brought = tuple(c.series for c in one.changes if c.series not in known)
    for change in one.changes:
        old = known.get(change.series, change)
        larger = change if abs(change.score) > abs(old.score) else old
        known[change.series] = replace(larger, onset_unix=min(old.onset_unix, change.onset_unix))
    both = (into, one)
    ends = [i.resolved_unix for i in both]
    ended = max((e for e in ends if e is not None), default=None) if None not in ends else None
    away = tuple(s for s in into.handling.given_away if s not in brought)
    made = replace(
        into,
        handling=replace(into.handling, given_away=away),
        changes=tuple(sorted(known.values(), key=_by_size)[:MOST_CHANGES]),
        onset_unix=min(i.onset_unix for i in both),
        severity=min((i.severity for i in both), key=list(Severity).index),
        last_change_unix=max(i.last_change_unix for i in both),
        status=Status.OPEN if ended is None else Status.RESOLVED,
        resolved_unix=ended,
    )
    return made, brought


def _check_split(source: Incident, moved: list[Change]) -> None:
    if source.handling.merged_into:
        raise Conflict("the incident was merged just now; ask for the one that it went into")
    if not moved:
        raise InvalidParameters("none of its changes is of these services or series")
    if any(c.series == source.symptom for c in moved):
        raise InvalidParameters(
            f"its symptom {source.symptom} stays with it; split off the others instead"
        )


def _split_off(source: Incident, moved: list[Change], title: str, now: float) -> Incident:
    largest = max(moved, key=lambda c: (_size(c), c.series))
    keys = "|".join(sorted(c.series.key for c in moved))
    usual = f"{largest.series} departed from its baseline (split from INC-{source.number})"
    return Incident(
        id=uuid.uuid5(_NAMESPACE, f"{source.id}|{now}|{keys}").hex,
        tenant=source.tenant,
        onset_unix=min(c.onset_unix for c in moved),
        opened_unix=now,
        symptom=largest.series,
        changes=tuple(moved),
        title=title or usual,
        severity=source.severity,
        status=source.status,
        last_change_unix=source.last_change_unix,
        resolved_unix=source.resolved_unix,
        handling=Handling(links=(source.id,), split_from=source.id),
    )


def _size(change: Change) -> float:
    return abs(change.score) if math.isfinite(change.score) else 0.0


def _by_size(change: Change) -> tuple[float, Series]:
    return (-_size(change), change.series)
