"""Diagnoses by request, what people say about causes, and how often we were right."""

from __future__ import annotations

import uuid
from dataclasses import replace
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from rootward.errors import InvalidParameters
from rootward.model.feedback import Feedback, accuracy
from rootward.model.incident import Incident
from rootward.model.run import DiagnosisRun, RunState
from rootward.ports import Platform
from rootward_dashboard import judging
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import Cursor, Limit, change, get, link_next, root
from rootward_dashboard.figures import instant

LONGEST_SECONDS = 90 * 86_400.0
WEEK_SECONDS = 7 * 86_400.0
_Days = Annotated[int, Query(ge=1, le=730, description="How far to look back.")]


def add(routes: APIRouter, platform: Platform) -> None:
    """Ask, read, call off; say what is right."""
    _add_runs(routes, platform)
    _add_feedback(routes, platform)

    def measured(caller: Asking, days: _Days = 90) -> judging.AccuracyOverTimeOut:
        """How often the causes that people confirmed were ranked first, week by week."""
        since = platform.clock.now() - days * 86_400.0
        said = platform.feedback.since(since, caller.tenant)
        weeks = groupby(said, key=lambda one: int(one.at_unix // WEEK_SECONDS))
        return judging.AccuracyOverTimeOut.model_validate(
            judging.figures(accuracy(said))
            | {
                "since_at": instant(since),
                "since_unix": since,
                "weeks": [_week(number, tuple(words)) for number, words in weeks],
            }
        )

    get(routes, "/accuracy", measured, "get_accuracy", judging.AccuracyOverTimeOut)


def _add_runs(routes: APIRouter, platform: Platform) -> None:
    def create(
        request: Request, response: Response, caller: Asking, wanted: judging.DiagnosisIn
    ) -> judging.RunOut:
        """Explain a stretch of time that need not be an incident; the outcome appears at `url`."""
        asked = DiagnosisRun(
            id=uuid.uuid4().hex,
            tenant=caller.tenant,
            asked_by=caller.name,
            created_unix=platform.clock.now(),
            start_unix=wanted.start.timestamp(),
            end_unix=wanted.end.timestamp(),
            services=tuple(sorted(set(wanted.services))),
        )
        _check(asked)
        platform.runs.put(asked)
        platform.jobs.submit("explain", run_id=asked.id, tenant=caller.tenant)
        answer = judging.run(asked, root(request))
        response.headers["Location"] = answer.url
        return answer

    def read(request: Request, caller: Asking, id: str) -> judging.RunOut:
        """How far a diagnosis by request is, and what came of it."""
        return judging.run(platform.runs.get(id, caller.tenant), root(request))

    def cancel(request: Request, caller: Asking, id: str) -> judging.RunOut:
        """Call a diagnosis off; one that is over stays as it is."""
        changed = platform.runs.revise(
            id, lambda known: replace(known, state=RunState.CANCELLED), caller.tenant
        )
        return judging.run(changed, root(request))

    def several(
        request: Request,
        response: Response,
        caller: Asking,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> judging.RunPageOut:
        """Diagnoses by request, newest first, page by page."""
        page = platform.runs.page(caller.tenant, limit=limit, cursor=cursor)
        link_next(request, response, page.next_cursor)
        items = [judging.run(one, root(request), whole=False) for one in page.items]
        return judging.RunPageOut(items=items, next_cursor=page.next_cursor)

    change(routes, "/diagnoses", create, "create_diagnosis", judging.RunOut, status=202)
    get(routes, "/diagnoses", several, "list_diagnoses", judging.RunPageOut)
    get(routes, "/diagnoses/{id}", read, "get_requested_diagnosis", judging.RunOut)
    change(routes, "/diagnoses/{id}/cancel", cancel, "cancel_diagnosis", judging.RunOut)


def _add_feedback(routes: APIRouter, platform: Platform) -> None:
    def say(caller: Asking, key: str, said: judging.FeedbackIn) -> judging.FeedbackOut:
        """Say that a service was the cause, was not, or was a part of it."""
        known = platform.incidents.get(key, caller.tenant)
        word = _ranked(
            platform,
            known,
            Feedback(
                known.id,
                said.service,
                said.verdict,
                caller.name,
                platform.clock.now(),
                said.reason,
            ),
        )
        platform.feedback.put(word, caller.tenant)
        return judging.feedback(word)

    def heard(caller: Asking, key: str) -> judging.FeedbacksOut:
        """What people said about the causes of an incident, the earliest first."""
        known = platform.incidents.get(key, caller.tenant)
        words = platform.feedback.of(known.id, caller.tenant)
        return judging.FeedbacksOut(items=[judging.feedback(one) for one in words])

    at = "/incidents/{key}/feedback"
    change(routes, at, say, "give_feedback", judging.FeedbackOut)
    get(routes, at, heard, "list_feedback", judging.FeedbacksOut)


def _ranked(platform: Platform, incident: Incident, word: Feedback) -> Feedback:
    """The word with where the diagnosis lists its service now."""
    found = platform.incidents.diagnosis(incident.id, incident.tenant)
    if found is None:
        return word
    ranks = {one.service: one.rank for one in found.candidates}
    return replace(word, rank=ranks.get(word.service), abstained=found.abstained)


def _week(number: int, words: tuple[Feedback, ...]) -> judging.WeekOut:
    start = number * WEEK_SECONDS
    return judging.WeekOut.model_validate(
        judging.figures(accuracy(words)) | {"start_at": instant(start), "start_unix": start}
    )


def _check(asked: DiagnosisRun) -> None:
    if not asked.start_unix < asked.end_unix:
        raise InvalidParameters("the end must come after the start")
    if asked.end_unix - asked.start_unix > LONGEST_SECONDS:
        raise InvalidParameters(f"at most {LONGEST_SECONDS / 86_400:g} days are explained at once")
