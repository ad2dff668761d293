"""What becomes of a stored incident when the detector tells of it again."""

from __future__ import annotations

from dataclasses import replace

from rootward.model.handling import Activity
from rootward.model.incident import Incident, Status


def updated(known: Incident, told: Incident, now: float) -> tuple[Incident, tuple[Activity, ...]]:
    """The incident as it is from now on, and the lines for its log.

    What people made of it stays; where they changed it since the detector read it, so do its
    status and its end. One that was merged stays as it is.
    """
    if known.handling.merged_into:
        return known, ()
    changed = replace(
        told, id=known.id, tenant=known.tenant, number=known.number, handling=known.handling
    )
    away = known.handling.given_away
    if away:
        changed = replace(changed, changes=tuple(c for c in told.changes if c.series not in away))
    if told.handling.version != known.handling.version:
        changed = replace(changed, status=known.status, resolved_unix=known.resolved_unix)
    lines = []
    if changed.status is not known.status:
        handling = replace(known.handling, version=known.handling.version + 1, resolved_by="")
        changed = replace(changed, handling=handling)
        action = "resolved" if changed.status is Status.RESOLVED else "reopened"
        lines.append(Activity(known.id, now, "", action))
    if changed.severity is not known.severity:
        text = f"{known.severity} → {changed.severity}"
        lines.append(Activity(known.id, now, "", "severity", text))
    return changed, tuple(lines)
