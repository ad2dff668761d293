"""What happened around an incident, on one axis: the lanes of its time line."""

from __future__ import annotations

from collections.abc import Iterator

from rootward.model.alert import Alert
from rootward.model.change_event import BEFORE_SECONDS, ChangeEvent
from rootward.model.handling import Activity
from rootward.model.incident import Change, Incident
from rootward.ports import Platform
from rootward_dashboard import reading
from rootward_dashboard.figures import instant
from rootward_dashboard.looking import HappeningOut, TimelineOut
from rootward_dashboard.names import metric_of, web_address


def timeline(platform: Platform, incident: Incident) -> TimelineOut:
    """Everything that is known to have happened, the earliest first."""
    now = platform.clock.now()
    end = now if incident.resolved_unix is None else incident.resolved_unix
    tenant = incident.tenant
    items = [
        *(_done(e) for e in reading.done_around(platform, incident)),
        *(_alert(a) for a in platform.alerts.of(incident.id, tenant)),
        *(_changed(c) for c in incident.changes),
        *_told(platform.incidents.log(incident.id, tenant)),
    ]
    last = max((item.at_unix for item in items), default=end)
    return TimelineOut(
        start_unix=incident.onset_unix - BEFORE_SECONDS,
        end_unix=max(end, last),
        onset_unix=incident.onset_unix,
        items=sorted(items, key=lambda item: (item.at_unix, item.lane, item.title)),
    )


def _done(event: ChangeEvent) -> HappeningOut:
    return HappeningOut(
        lane="change",
        at=instant(event.at_unix),
        at_unix=event.at_unix,
        service=event.service,
        title=event.title,
        text=event.author,
        kind=event.kind.value,
        url=web_address(event.url),
    )


def _alert(alert: Alert) -> HappeningOut:
    return HappeningOut(
        lane="alert",
        at=instant(alert.starts_unix),
        at_unix=alert.starts_unix,
        end_unix=alert.ends_unix,
        service=alert.service,
        title=alert.name,
        text=alert.summary,
        kind=alert.status.value,
        url=web_address(alert.url),
    )


def _changed(change: Change) -> HappeningOut:
    return HappeningOut(
        lane="change_point",
        at=instant(change.onset_unix),
        at_unix=change.onset_unix,
        service=change.series.service,
        title=metric_of(change.series),
        text=change.series.key,
        kind="rise" if change.score >= 0 else "fall",
        score=change.score,
    )


def _told(lines: tuple[Activity, ...]) -> Iterator[HappeningOut]:
    for line in lines:
        lane = "notification" if line.action == "notified" else "action" if line.actor else "status"
        yield HappeningOut(
            lane=lane,
            at=instant(line.at_unix),
            at_unix=line.at_unix,
            title=f"{line.actor} {line.action}".strip().replace("_", " "),
            text=line.text,
            kind=line.action,
        )
