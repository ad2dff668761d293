"""What came of steps that people took: what methods learn from, and what the symptom says of it."""

from __future__ import annotations

import logging
from dataclasses import replace

from rootward.errors import InsufficientData
from rootward.model.incident import Incident, Status
from rootward.model.outcome import (
    JUDGED_SECONDS,
    RECOVERS_SECONDS,
    Outcome,
    Told,
    outcomes_of,
)
from rootward.ports import DEFAULT_TENANT, Platform, WindowQuery
from rootward_worker import story
from rootward_worker.options import WorkerOptions

log = logging.getLogger(__name__)

MOST_TOLD = 1000
"""Words that methods learn from, the newest."""
PATIENCE_SECONDS = 3600.0
"""So long after a step its samples are waited for; what comes later says nothing about it."""
_AGAIN_SECONDS = 60.0


def known(platform: Platform, tenant: str) -> tuple[Outcome, ...]:
    """What came of steps in the incidents of a tenant, as far as it is known; oldest first."""
    return outcomes_of(platform.outcomes.newest(tenant, limit=MOST_TOLD))


def judge(
    platform: Platform,
    options: WorkerOptions,
    *,
    incident_id: str,
    tenant: str = DEFAULT_TENANT,
) -> None:
    """Let the symptom say whether steps helped of which nobody said it; safe to repeat.

    Comes again for those whose time has not come, or whose samples have not.
    """
    incident = platform.incidents.get(incident_id, tenant)
    now = platform.clock.now()
    open_ = [
        one
        for one in platform.outcomes.of((incident.id, *incident.handling.absorbed), tenant)
        if one.helped is None and now <= one.told_unix + PATIENCE_SECONDS
    ]
    due = [one for one in open_ if _is_due(platform, options, incident, one)]
    settled = [_settled(platform, incident, one) for one in due]
    if any(settled) and incident.status is Status.OPEN:
        platform.jobs.submit(
            "analyse", incident_id=incident.id, method="next_check", params={}, tenant=tenant
        )
    if waiting := [one for one in open_ if one not in due]:
        soonest = min(one.told_unix for one in waiting) + JUDGED_SECONDS
        delay = max(soonest - now, _AGAIN_SECONDS)
        platform.jobs.submit("judge", delay_seconds=delay, incident_id=incident_id, tenant=tenant)


def _is_due(platform: Platform, options: WorkerOptions, incident: Incident, told: Told) -> bool:
    """Whether its time has come, and the symptom was measured until then."""
    due = told.told_unix + JUDGED_SECONDS
    if platform.clock.now() < due:
        return False
    return story.is_alerted(incident) or _measured_until(platform, options, incident, due)


def _measured_until(
    platform: Platform, options: WorkerOptions, incident: Incident, unix: float
) -> bool:
    """Whether the symptom has a sample in the last rows up to a time, and rows came after it."""
    latest = platform.samples.latest_unix(incident.tenant)
    if latest is None or latest < unix:
        return False
    rows = max(1, int((JUDGED_SECONDS - RECOVERS_SECONDS) / options.step_seconds))
    query = WindowQuery(
        unix, rows, options.step_seconds, incident.tenant, series=frozenset({incident.symptom})
    )
    try:
        platform.samples.window(query)
    except InsufficientData:
        return False
    return True


def _settled(platform: Platform, incident: Incident, told: Told) -> bool:
    """Keep what the symptom says of a step, where it says anything.

    It says nothing of a step that came when all was well again, nor where a person ended the
    incident.
    """
    gone = _gone_unix(incident)
    if incident.handling.resolved_by or (gone is not None and gone < told.told_unix):
        log.info("the symptom says nothing of a step", extra={"incident": incident.id})
        return False
    helped = gone is not None and gone <= told.told_unix + RECOVERS_SECONDS
    judged = replace(told, helped=float(helped), source="sli", note=_NOTES[helped])
    return platform.outcomes.settle(judged, platform.clock.now(), incident.tenant)


def _gone_unix(incident: Incident) -> float | None:
    """When the symptom, or a series that departed with it, was last away; None: it still is."""
    if story.is_new_normal(incident):
        return None
    if story.is_alerted(incident):
        return incident.resolved_unix if incident.status is Status.RESOLVED else None
    return incident.last_change_unix


_WITHIN = f"within {RECOVERS_SECONDS / 60:.0f} min"
_NOTES = {
    True: f"the symptom was back at its baseline {_WITHIN} and stayed so",
    False: f"the symptom was not back at its baseline {_WITHIN}, or did not stay so",
}
