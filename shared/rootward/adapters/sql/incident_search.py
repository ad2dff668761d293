"""Lists of incidents: conditions, keyset pages, counts."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from rootward.adapters.sql import tables
from rootward.adapters.sql.incident_rows import sought
from rootward.codec import from_json
from rootward.errors import InvalidInput
from rootward.model.summary import (
    COUNTED_FOR_SERVICES,
    MOST_SERVICES,
    Facets,
    IncidentQuery,
    Summary,
)

_HEADS = tables.incident_head
_HEAD = _HEADS.c
_SERVICE = tables.incident_service.c
Conditions = list[ColumnElement[bool]]


class Head(NamedTuple):
    """A row of heads, as far as a page needs it."""

    incident_id: str
    number: int
    opened_unix: float
    body: str


def conditions(query: IncidentQuery, tenant: str) -> Conditions:
    """What a row of heads must meet."""
    wanted = [_HEAD.tenant == tenant, _HEAD.merged_into == ""]
    if query.statuses:
        wanted.append(_HEAD.status.in_([one.value for one in query.statuses]))
    if query.severities:
        wanted.append(_HEAD.severity.in_([one.value for one in query.severities]))
    if query.assignees:
        wanted.append(_HEAD.assignee.in_(query.assignees))
    if query.acknowledged is not None:
        wanted.append(_HEAD.acknowledged == query.acknowledged)
    if query.services:
        touched = select(_SERVICE.incident_id).where(
            _SERVICE.tenant == tenant,
            _SERVICE.service.in_([sought(name) for name in query.services]),
        )
        wanted.append(_HEAD.incident_id.in_(touched))
    wanted += [_HEAD.searched.contains(word, autoescape=True) for word in query.words]
    return wanted


def page(
    connection: Connection, wanted: Conditions, limit: int, cursor: str | None
) -> tuple[list[Head], str | None]:
    """Heads of one page, newest first, and the cursor of the next one."""
    if limit < 1:
        raise InvalidInput(f"a page holds at least one incident, not {limit}")
    behind = [] if cursor is None else [_behind(cursor)]
    rows = connection.execute(
        select(_HEAD.incident_id, _HEAD.number, _HEAD.opened_unix, _HEAD.body)
        .where(*wanted, *behind)
        .order_by(_HEAD.opened_unix.desc(), _HEAD.number.desc())
        .limit(limit + 1)
    )
    found = [Head(*row) for row in rows]
    more = len(found) > limit
    return found[:limit], _cursor(found[limit - 1]) if more else None


def summaries(found: Sequence[Head]) -> tuple[Summary, ...]:
    """The incidents of a page in short."""
    return tuple(from_json(row.body, Summary) for row in found)


def summaries_of(connection: Connection, tenant: str, ids: Sequence[str]) -> tuple[Summary, ...]:
    """Incidents in short by their ids, in the order of these."""
    rows = connection.execute(
        select(_HEAD.incident_id, _HEAD.body).where(
            _HEAD.tenant == tenant, _HEAD.incident_id.in_(ids)
        )
    )
    bodies = {row.incident_id: row.body for row in rows}
    return tuple(from_json(bodies[i], Summary) for i in dict.fromkeys(ids) if i in bodies)


def count(connection: Connection, query: IncidentQuery, tenant: str) -> int:
    """How many incidents fit."""
    wanted = conditions(query, tenant)
    return connection.scalar(select(func.count()).select_from(_HEADS).where(*wanted)) or 0


def facets(connection: Connection, query: IncidentQuery, tenant: str) -> Facets:
    """Counts; each kind without its own filter."""
    kinds = (_HEAD.status, _HEAD.severity, _HEAD.assignee, _HEAD.acknowledged)
    shared = IncidentQuery(services=query.services, words=query.words)
    rows = connection.execute(
        select(*kinds, func.count()).where(*conditions(shared, tenant)).group_by(*kinds)
    )
    groups = [_Group(*row) for row in rows]

    def counted(kind: str, without: IncidentQuery) -> Mapping[str, int]:
        found: Counter[str] = Counter()
        for group in groups:
            if group.fits(without):
                found[getattr(group, kind)] += group.incidents
        return found

    def total(wanted: IncidentQuery) -> int:
        return sum(group.incidents for group in groups if group.fits(wanted))

    return Facets(
        statuses=counted("status", replace(query, statuses=())),
        severities=counted("severity", replace(query, severities=())),
        services=_services(connection, replace(query, services=()), tenant),
        assignees=counted("assignee", replace(query, assignees=())),
        acknowledged=total(replace(query, acknowledged=True)),
        total=total(query),
    )


class _Group(NamedTuple):
    """How many incidents are alike in what they are counted by."""

    status: str
    severity: str
    assignee: str
    acknowledged: bool
    incidents: int

    def fits(self, query: IncidentQuery) -> bool:
        """Whether they are asked for, services and words aside."""
        return (
            (not query.statuses or self.status in query.statuses)
            and (not query.severities or self.severity in query.severities)
            and (not query.assignees or self.assignee in query.assignees)
            and query.acknowledged in (None, bool(self.acknowledged))
        )


@dataclass(frozen=True)
class _Listed:
    """The part of a summary that is counted."""

    services: tuple[str, ...]


def _services(connection: Connection, query: IncidentQuery, tenant: str) -> Mapping[str, int]:
    """Of the newest incidents that fit, how many each service is part of."""
    newest = connection.execute(
        select(_HEAD.body)
        .where(*conditions(query, tenant))
        .order_by(_HEAD.opened_unix.desc(), _HEAD.number.desc())
        .limit(COUNTED_FOR_SERVICES)
    )
    counted = Counter(name for row in newest for name in from_json(row.body, _Listed).services)
    order = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return dict(order[:MOST_SERVICES])


def _cursor(last: Head) -> str:
    plain = json.dumps([last.opened_unix, last.number], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def _behind(cursor: str) -> ColumnElement[bool]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        opened, number = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        opened, number = float(opened), int(number)
    except (ValueError, TypeError) as error:
        raise InvalidInput("the cursor is not one of ours; start again without one") from error
    return or_(
        _HEAD.opened_unix < opened,
        and_(_HEAD.opened_unix == opened, _HEAD.number < number),
    )
