"""alerts(): a firing alert opens an incident or joins one; its end closes what it opened."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from rootward import telemetry
from rootward.errors import NotFound
from rootward.model.alert import ALERT_NAME, Alert, AlertStatus
from rootward.model.incident import Incident, Severity, Status
from rootward.model.series import Series
from rootward.ports import DEFAULT_TENANT, Platform
from rootward_worker.options import WorkerOptions
from rootward_worker.story import ALERTS, is_alerted

log = logging.getLogger(__name__)

SAME_SECONDS = 300.0
"""Alerts of one service that start within so long are of one incident."""
LATE_SECONDS = 600.0
"""An alert belongs to an incident that ended not longer than this before the alert began."""
STALE_SECONDS = 86_400.0
"""An alert that was not repeated for so long counts as ended; senders repeat every four hours."""
_NAMESPACE = uuid.UUID("0d3a6c55-5d5c-5a37-9a3e-3f8f0f1a6b52")
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "info": Severity.INFO,
    "none": Severity.INFO,
}
_RECENT = 5
_LONGEST_TITLE = 200


def alerts(
    platform: Platform,
    options: WorkerOptions,
    *,
    keys: Sequence[str],
    status: str,
    tenant: str = DEFAULT_TENANT,
) -> None:
    """See to alerts that were stored: `status` is what they were stored for.

    An alert that ended before its turn came opens its incident all the same. Safe to repeat, and
    in several processes at once.
    """
    for key in keys:
        try:
            alert = platform.alerts.get(key, tenant)
        except NotFound:
            log.warning("alert is gone", extra={"alert": key})
            continue
        if status == AlertStatus.FIRING and not alert.incident_id:
            _fired(platform, options, alert)
            alert = platform.alerts.get(key, tenant)  # its end may have come meanwhile
        if alert.status is AlertStatus.RESOLVED:
            _ended(platform, alert)


def end_stale(platform: Platform, tenant: str = DEFAULT_TENANT) -> None:
    """Resolve what alerts opened once each of them has ended or was not spoken of for long."""
    now = platform.clock.now()
    for incident in filter(is_alerted, platform.incidents.current(tenant)):
        own = platform.alerts.of(incident.id, tenant)
        ended = (a.status is AlertStatus.RESOLVED or now - a.seen_unix > STALE_SECONDS for a in own)
        if own and all(ended):
            _resolve(platform, incident, now)


def _fired(platform: Platform, options: WorkerOptions, alert: Alert) -> None:
    incident, is_new = _concerned(platform, alert), False
    if incident is None:
        if _severity(alert) is Severity.INFO:
            return  # it informs of what nobody need act on, such as that alerting works
        incident, is_new = _opened_or_joined(platform, alert)
    if is_new:
        telemetry.INCIDENTS_OPENED.inc()
        facts = {"incident": incident.id, "alert": alert.key, "service": alert.service}
        log.info("incident opened", extra=facts)
    # whoever opened it may have been killed before it said so
    opens = is_new or (is_alerted(incident) and not _openers(platform, incident))
    if opens:
        _diagnose(platform, options, incident)
    platform.alerts.link(alert.key, incident.id, opened=opens, tenant=alert.tenant)


def _concerned(platform: Platform, alert: Alert) -> Incident | None:
    """The incident that the alert is about: of its service, open or over just now."""
    for incident in reversed(platform.incidents.current(alert.tenant)):
        known = {a.service for a in platform.alerts.of(incident.id, alert.tenant)}
        if _is_of(incident, alert) or alert.service in known:
            return incident
    page = platform.incidents.page(alert.tenant, service=alert.service, limit=_RECENT)
    for incident in page.items:
        ended = incident.resolved_unix
        if ended is not None and incident.onset_unix <= alert.starts_unix <= ended + LATE_SECONDS:
            return incident
    return None


def _is_of(incident: Incident, alert: Alert) -> bool:
    return alert.service in {incident.symptom.service, *incident.services}


def _opened_or_joined(platform: Platform, alert: Alert) -> tuple[Incident, bool]:
    """An incident for an alert that none was there for, and whether it is ours to tell of.

    Another process may have opened one since we looked.
    """
    made = _opened(alert, platform.clock.now())
    with suppress(NotFound):  # one bucket, fired again
        known = platform.incidents.get(made.id, alert.tenant)
        made = replace(known, status=Status.OPEN, resolved_unix=None)
    is_new = False

    def choose(current: tuple[Incident, ...]) -> Incident:
        nonlocal is_new
        joined = [one for one in current if one.id == made.id or _is_of(one, alert)]
        is_new = not joined
        return joined[-1] if joined else made

    return platform.incidents.open_or_join(choose, alert.tenant), is_new


def _openers(platform: Platform, incident: Incident) -> list[Alert]:
    return [one for one in platform.alerts.of(incident.id, incident.tenant) if one.opened]


def _opened(alert: Alert, now: float) -> Incident:
    bucket = math.floor(alert.starts_unix / SAME_SECONDS)
    name = f"{alert.tenant}|{ALERTS}|{alert.service}|{bucket}"
    return Incident(
        id=uuid.uuid5(_NAMESPACE, name).hex,
        tenant=alert.tenant,
        onset_unix=alert.starts_unix,
        opened_unix=max(now, alert.starts_unix),
        symptom=Series.of(ALERTS, alert.service, **{ALERT_NAME: alert.name}),
        changes=(),
        title=_title(alert),
        severity=_severity(alert),
        last_change_unix=now,
    )


def _severity(alert: Alert) -> Severity:
    return _SEVERITIES.get(alert.label("severity").lower(), Severity.WARNING)


def _title(alert: Alert) -> str:
    named = f"{alert.service}: {alert.name or 'an alert'} fires"
    title = f"{named} ({alert.summary})" if alert.summary else named
    return title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…"


def _diagnose(platform: Platform, options: WorkerOptions, incident: Incident) -> None:
    """Ask for a diagnosis of the rows up to now, and for another once more are known."""
    step = options.step_seconds
    now = (math.ceil(platform.clock.now() / step) - 1) * step
    settled = now + options.settled_rows * step
    for end, delay in ((now, 0.0), (settled, settled + step - platform.clock.now())):
        platform.jobs.submit(
            "diagnose",
            delay_seconds=max(0.0, delay),
            incident_id=incident.id,
            tenant=incident.tenant,
            end_unix=end,
        )


def _ended(platform: Platform, alert: Alert) -> None:
    """Close the incident of an alert that has ended, if alerts opened it and none still fires."""
    if not alert.incident_id:
        return
    incident = platform.incidents.get(alert.incident_id, alert.tenant)
    own = platform.alerts.of(incident.id, alert.tenant)
    firing = any(a.status is AlertStatus.FIRING for a in own)
    if incident.status is Status.OPEN and _openers(platform, incident) and not firing:
        _resolve(platform, incident, max(a.ends_unix or a.seen_unix for a in own))


def _resolve(platform: Platform, incident: Incident, end_unix: float) -> None:
    ended = max(end_unix, incident.onset_unix)

    def end(known: Incident) -> Incident:
        return replace(known, status=Status.RESOLVED, resolved_unix=ended, last_change_unix=ended)

    platform.incidents.revise(incident.id, end, incident.tenant)
    telemetry.INCIDENTS_RESOLVED.inc()
    log.info("incident resolved", extra={"incident": incident.id})
