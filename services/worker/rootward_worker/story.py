"""How findings become an incident: its identity, title, severity, and what joins it. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Set
from dataclasses import replace

from rootward.model.incident import Change, Incident, Severity, Status
from rootward.model.kind import EXTERNAL, Kind, kind_of, unit_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward_worker.finding import Finding

ALERTS = "ALERTS"
"""What Prometheus calls the series of a firing alert; the symptom where an alert opens."""
MOST_CHANGES = 200
"""Changes that an incident lists, the largest first."""
_NAMESPACE = uuid.UUID("6f1c1c1e-7b0f-5d0e-9d0a-0d6f7a2b9c11")
_BYTES = {0: "B", 3: "kB", 6: "MB", 9: "GB", 12: "TB"}
_ORDER = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)


def opened(
    tenant: str, found: tuple[Finding, ...], harmful: list[Finding], frame: Window
) -> Incident:
    """A new incident from what departed; `harmful` holds its symptoms, the strongest first."""
    symptom = harmful[0]
    onset = float(frame.times[min(f.onset for f in harmful)])
    now = float(frame.times[-1])
    name = f"{tenant}|{symptom.series.key}|{round(onset / frame.step_seconds)}"
    return Incident(
        id=uuid.uuid5(_NAMESPACE, name).hex,
        tenant=tenant,
        onset_unix=onset,
        opened_unix=now,
        symptom=symptom.series,
        changes=tuple(_change(f, frame) for f in found[:MOST_CHANGES]),
        title=title(symptom),
        severity=max((severity(f) for f in harmful), key=_ORDER.index),
        last_change_unix=now,
    )


def joined(incident: Incident, found: tuple[Finding, ...], frame: Window) -> Incident:
    """The incident with what departed since; a change that is known keeps its onset."""
    known = {c.series: c for c in incident.changes}
    for finding in found:
        fresh = _change(finding, frame)
        old = known.get(fresh.series)
        if old is None:
            known[fresh.series] = fresh
        elif abs(fresh.score) > abs(old.score):
            known[fresh.series] = replace(fresh, onset_unix=old.onset_unix)
    harmful = [f for f in found if f.harmful]
    worst = max((severity(f) for f in harmful), key=_ORDER.index, default=incident.severity)
    return replace(
        incident,
        changes=tuple(sorted(known.values(), key=_by_size)[:MOST_CHANGES]),
        severity=max(worst, incident.severity, key=_ORDER.index),
        last_change_unix=float(frame.times[-1]) if harmful else incident.last_change_unix,
    )


def is_present(incident: Incident, away: frozenset[Series]) -> bool:
    """Whether the symptom, or another series of the incident, is still away."""
    return bool(away & {incident.symptom, *(c.series for c in incident.changes)})


def is_another(
    incident: Incident, services: Set[str], away: frozenset[Series], quiet_since_unix: float
) -> bool:
    """Whether symptoms in services are another event: elsewhere, after this one's had gone."""
    felt = {c.series.service for c in incident.changes if kind_of(c.series.metric) in EXTERNAL}
    elsewhere = services.isdisjoint({incident.symptom.service, *felt})
    gone = incident.last_change_unix <= quiet_since_unix and not is_present(incident, away)
    return elsewhere and gone


def is_alerted(incident: Incident) -> bool:
    """Whether an alert opened it; then no series of a window speaks for its end."""
    return incident.symptom.metric == ALERTS


def takes_in(incident: Incident, services: frozenset[str], recent_unix: float) -> bool:
    """Whether symptoms in these services belong to an open incident.

    All of them do, but an alert may fire for days: one of long ago takes in its own service alone.
    """
    own = {incident.symptom.service, *incident.services}
    return not is_alerted(incident) or incident.onset_unix >= recent_unix or bool(own & services)


def is_new_normal(incident: Incident) -> bool:
    """Whether it was ended by its age while its symptom was still away."""
    return (
        incident.status is Status.RESOLVED
        and incident.last_change_unix == incident.resolved_unix
        and not is_alerted(incident)
    )


def title(symptom: Finding) -> str:
    """What happened, in a few words with a number."""
    series, before, after = symptom.series, symptom.before, symptom.after
    metric = re.sub(r"_(seconds|bytes)(?=_|$)", "", series.metric).replace("_", " ")
    if symptom.gone:
        return f"{series.service} stopped reporting"
    if series.metric == "up":
        return f"{series.service} cannot be reached"
    unit = "%" if metric.endswith("ratio") and max(before, after) <= 1 else unit_of(series.metric)
    if unit == "%" and metric.endswith("ratio"):
        before, after = 100 * before, 100 * after
    numbers = f"{_number(after, unit)}, from {_number(before, unit)}"
    if before > 0 and after >= 2 * before:
        return f"{series.service} {metric} {after / before:.2g}× its baseline ({numbers})"
    direction = "rose to" if symptom.score > 0 else "fell to"
    return f"{series.service} {metric} {direction} {numbers}"


def severity(symptom: Finding) -> Severity:
    """How bad it is for those who call the service."""
    before, after = symptom.before, symptom.after
    kind = kind_of(symptom.series.metric)
    if symptom.gone or symptom.series.metric == "up":
        return Severity.CRITICAL
    if kind is Kind.LATENCY:
        return Severity.CRITICAL if after >= 5 * before else Severity.WARNING
    if kind is Kind.TRAFFIC:
        return Severity.CRITICAL if after <= 0.1 * before else Severity.WARNING
    if kind is Kind.ERRORS:
        full = 100.0 if max(before, after) > 1.5 else 1.0
        return Severity.CRITICAL if abs(after - before) >= 0.2 * full else Severity.WARNING
    return Severity.INFO


def _change(finding: Finding, frame: Window) -> Change:
    return Change(
        series=finding.series,
        onset_unix=float(frame.times[finding.onset]),
        score=finding.size,
        before=finding.before,
        after=finding.after,
    )


def _by_size(change: Change) -> tuple[float, Series]:
    return (-abs(change.score), change.series)


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.3g} %"
    if unit == "s" and abs(value) < 1:
        return f"{1000 * value:.3g} ms"
    if unit == "B":
        power = next((p for p in (12, 9, 6, 3) if abs(value) >= 10**p), 0)
        return f"{value / 10**power:.3g} {_BYTES[power]}"
    return f"{value:.3g} {unit}".strip()
