"""What came of checks and remedies: tell it, and read what was told."""

from __future__ import annotations

from fastapi import APIRouter

from rootward.errors import InvalidParameters
from rootward.model.incident import Incident, Status
from rootward.model.outcome import JUDGED_SECONDS, Told
from rootward.ports import Platform
from rootward_dashboard import reading, trying
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import change, get


def add(routes: APIRouter, platform: Platform) -> None:
    """Tell and read."""

    def tell(caller: Asking, key: str, wanted: trying.OutcomeIn) -> trying.OutcomeOut:
        """Say that a step was taken and what came of it; the same person may correct it.

        The next best check of this and of later incidents learns from it. Nothing is ever done
        by Rootward itself.
        """
        known = platform.incidents.get(key, caller.tenant)
        found = reading.finding(platform, known).diagnosis
        now = platform.clock.now()
        word = trying.told(wanted, known, found, who=caller.name, now=now)
        if word.helped is None and not trying.is_remedy(word.action):
            raise InvalidParameters(
                "only the one who looked can say what a check showed; set helped to true or false"
            )
        platform.outcomes.put(word, caller.tenant)
        _follow(platform, known, word)
        return trying.outcome(word)

    def heard(caller: Asking, key: str) -> trying.OutcomesOut:
        """What was told of steps in an incident and in those that went into it."""
        known = platform.incidents.get(key, caller.tenant)
        return trying.OutcomesOut(
            items=[trying.outcome(one) for one in reading.tried(platform, known)]
        )

    at = "/incidents/{key}/outcomes"
    change(routes, at, tell, "tell_outcome", trying.OutcomeOut)
    get(routes, at, heard, "list_outcomes", trying.OutcomesOut)


def _follow(platform: Platform, incident: Incident, word: Told) -> None:
    """Let the symptom speak later where the person did not; suggest anew while it goes on."""
    if word.helped is None:
        platform.jobs.submit(
            "judge", delay_seconds=JUDGED_SECONDS, incident_id=incident.id, tenant=incident.tenant
        )
    elif incident.status is Status.OPEN:
        platform.jobs.submit(
            "analyse",
            incident_id=incident.id,
            method=trying.METHOD,
            params={},
            tenant=incident.tenant,
        )
