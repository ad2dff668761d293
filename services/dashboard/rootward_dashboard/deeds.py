"""What people do to one incident: acknowledge, assign, resolve, reopen, comment, link. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rootward.errors import Conflict, InvalidParameters
from rootward.model.handling import Activity, Handling
from rootward.model.incident import Incident, Status
from rootward.ports.incidents import Act, Deed

Change = Callable[[Incident], Incident]


def acknowledge(who: str, now: float) -> Act:
    """Note that somebody has seen it; who was first stays."""

    def change(one: Incident) -> Incident:
        if one.handling.acknowledged_unix is not None:
            return one
        return _handled(one, acknowledged_unix=now, acknowledged_by=who)

    return _once("acknowledged", who, now, change)


def unacknowledge(who: str, now: float) -> Act:
    """Take back that somebody has seen it."""

    def change(one: Incident) -> Incident:
        return _handled(one, acknowledged_unix=None, acknowledged_by="")

    return _once("unacknowledged", who, now, change)


def assign(to: str, who: str, now: float) -> Act:
    """Give it to somebody, or to nobody."""
    return _once("assigned", who, now, lambda one: _handled(one, assignee=to), to)


def resolve(note: str, who: str, now: float) -> Act:
    """End it; while its symptom lasts it does not come back."""

    def change(one: Incident) -> Incident:
        if one.status is Status.RESOLVED:
            return one
        return replace(_handled(one, resolved_by=who), status=Status.RESOLVED, resolved_unix=now)

    return _once("resolved", who, now, change, note)


def reopen(note: str, who: str, now: float) -> Act:
    """Take its end back."""

    def change(one: Incident) -> Incident:
        return replace(_handled(one, resolved_by=""), status=Status.OPEN, resolved_unix=None)

    return _once("reopened", who, now, change, note)


def comment(text: str, who: str, now: float) -> Act:
    """Say something about it."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        (one,) = asked
        return [Deed(one, Activity(one.id, now, who, "commented", text))]

    return act


def link(who: str, now: float) -> Act:
    """Say that the first incident and the others are related."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        one, *others = asked
        if any(other.id == one.id for other in others):
            raise InvalidParameters("an incident is not linked to itself")
        fresh = [other for other in others if other.id not in one.handling.links]
        if not fresh:
            return []
        ids = tuple(other.id for other in fresh)
        deeds = [_deed(_linked(one, *ids), who, now, "linked", ids)]
        return deeds + [
            _deed(_linked(other, one.id), who, now, "linked", (one.id,)) for other in fresh
        ]

    return act


def unlink(who: str, now: float) -> Act:
    """Say that two incidents are not related."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        one, other = asked
        if other.id not in one.handling.links:
            return []
        return [
            _deed(without_link(one, other.id), who, now, "unlinked", (other.id,)),
            _deed(without_link(other, one.id), who, now, "unlinked", (one.id,)),
        ]

    return act


def without_link(one: Incident, *ids: str) -> Incident:
    """The incident without links to these."""
    return _handled(one, links=tuple(i for i in one.handling.links if i not in ids))


def _once(action: str, who: str, now: float, change: Change, text: str = "") -> Act:
    """Change one incident; where that changes nothing, nothing was done."""

    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        (one,) = asked
        if one.handling.merged_into:
            raise Conflict("the incident was merged just now; ask for the one that it went into")
        changed = change(one)
        return [] if changed == one else [Deed(changed, Activity(one.id, now, who, action, text))]

    return act


def _handled(one: Incident, **changes: object) -> Incident:
    handling: Handling = replace(one.handling, **changes)  # type: ignore[arg-type]
    return replace(one, handling=handling)


def _linked(one: Incident, *ids: str) -> Incident:
    return _handled(one, links=tuple(dict.fromkeys((*one.handling.links, *ids))))


def _deed(one: Incident, who: str, now: float, action: str, others: tuple[str, ...]) -> Deed:
    return Deed(one, Activity(one.id, now, who, action, others=others))
