"""diagnose(), analyse(), expire(): what the workers do, and the table JOBS that names them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from time import perf_counter

from rootward import telemetry
from rootward.errors import (
    Busy,
    InsufficientData,
    MissingLibrary,
    RootwardError,
    Unavailable,
)
from rootward.methods import registry
from rootward.methods.base import Cost, Need
from rootward.methods.needs import missing_library, missing_needs
from rootward.model.change_event import BEFORE_SECONDS, ChangeEvent
from rootward.model.deadline import Deadline
from rootward.model.incident import Diagnosis, Incident
from rootward.model.result import Result
from rootward.ports import DEFAULT_TENANT, JobHandler, JsonValue, Platform
from rootward.rca.diagnose import diagnose as diagnosis_of
from rootward.rca.recent_changes import with_changes
from rootward_worker import alarms, exhibits, explaining, graphs, outcomes, splits
from rootward_worker.calls import calls_within
from rootward_worker.case import Subject
from rootward_worker.catalogue import entries
from rootward_worker.giving_up import given_up
from rootward_worker.learner import discovery_method
from rootward_worker.options import WorkerOptions
from rootward_worker.running import DEADLINE_SECONDS, Running
from rootward_worker.spreading import Spreader, help_with
from rootward_worker.windows import last_row_unix, window_of, without_earlier

log = logging.getLogger(__name__)

EXPIRE_EVERY_SECONDS = 600.0
NOTICES_SECONDS = 90 * 86_400.0
"""How long alerts and change events are kept."""
EVENTS_SECONDS = 86_400.0
"""How long events and the answers to keyed requests are kept."""
PARTS_SECONDS = 86_400.0
"""How long a computation in parts is kept whose owner was lost."""
PLACEMENTS_SECONDS = 86_400.0
"""How long it is believed what runs where after the cluster was last seen."""
TALLIES_SECONDS = 86_400.0
"""How long it counts what a process counted that is gone."""
_DEAR = frozenset({Need.HISTORY, Need.DOCUMENTS})
"""What is read only for a method that is run."""
_OUTAGES = (Busy, Unavailable)
"""The job waits until these are over; they say nothing about the incident."""


def diagnose(
    platform: Platform,
    options: WorkerOptions,
    *,
    incident_id: str,
    tenant: str = DEFAULT_TENANT,
    end_unix: float | None = None,
) -> None:
    """Diagnose an incident from the rows up to `end_unix` and store the answer.

    Safe to repeat: an answer from later rows is never replaced by one from earlier rows. What
    cannot be answered is stored as the reason, never as an answer. Without `end_unix` someone
    asked by hand, and all rows of the incident count.
    """
    incident = platform.incidents.get(incident_id, tenant)
    if end_unix is not None and _answered_later(platform, incident, end_unix):
        return
    end = last_row_unix(platform, options, incident) if end_unix is None else end_unix
    started = perf_counter()
    try:
        window, left_out = without_earlier(
            platform, incident, window_of(platform, options, incident, end)
        )
        calls = calls_within(platform, window.series, tenant)
        found = diagnosis_of(
            window,
            discovery=discovery_method(options.discovery),
            symptom=incident.symptom,
            calls=calls,
            seed=options.seed,
            reached=partial(explaining.tell_step, platform, incident),
            ranked=partial(explaining.tell_first, platform, incident),
        )
    except _OUTAGES:
        raise
    except RootwardError as error:
        _no_diagnosis(platform, incident, "failed", str(error))
        return
    except Exception as error:
        _no_diagnosis(platform, incident, "crashed", f"{type(error).__name__}: {error}")
        raise
    seconds = perf_counter() - started
    telemetry.DIAGNOSIS_SECONDS.observe(seconds)
    telemetry.DIAGNOSES.labels("abstained" if found.abstained else "ok").inc()
    if end_unix is None or not _answered_later(platform, incident, end_unix):
        told = (*found.cautions, *left_out)
        found = with_changes(found, _done_before(platform, found, tenant))
        exhibits.keep(platform, options, incident, window, calls)
        graphs.named(platform, incident)
        platform.incidents.save(incident.id, replace(found, seconds=seconds, cautions=told), tenant)
    log.info("diagnosed", extra={"incident": incident.id, "seconds": round(seconds, 3)})
    _ask_the_methods(platform, options, incident)


def analyse(
    platform: Platform,
    options: WorkerOptions,
    *,
    incident_id: str,
    method: str,
    params: Mapping[str, JsonValue] | None = None,
    tenant: str = DEFAULT_TENANT,
) -> None:
    """Run one method on one incident, on the rows its diagnosis looked at, and store the result.

    A method that cannot answer is stored as not applicable, one that fails as failed.
    """
    incident = platform.incidents.get(incident_id, tenant)
    given = dict(params or {})
    running = Running(platform, incident, method, given, options.seed)
    try:
        result = _answer(Subject(platform, options, incident), method, given, running)
    except _OUTAGES:
        raise
    except (InsufficientData, MissingLibrary) as error:
        running.end("not_applicable", reason=str(error))
    except RootwardError as error:
        running.end("failed", reason=str(error))
    except Exception as error:
        running.end("failed", reason=f"{type(error).__name__}: {error}")
        raise
    else:
        running.end(result.status, result)


def _answer(
    subject: Subject, method: str, params: Mapping[str, JsonValue], running: Running
) -> Result:
    known = registry.load()
    if lacking := missing_library(known.get(method)):
        raise MissingLibrary(f"{method} {lacking}")
    made = known.make(method, params)
    needs, cost = made.about.needs, made.about.cost
    case = subject.case(needs)
    if lacking := missing_needs(needs, case):
        raise InsufficientData(lacking)
    if cost is not Cost.INSTANT:
        running.begin()
    deadline = Deadline.after(DEADLINE_SECONDS[cost])
    spread = Spreader(subject.platform, DEADLINE_SECONDS[cost])
    return made.run(replace(case, deadline=deadline, progress=running.progress, spread=spread))


def expire(platform: Platform, options: WorkerOptions) -> None:
    """Delete samples that are older than the retention, and old notices."""
    now = platform.clock.now()
    gone = platform.samples.expire(now - options.retention_seconds)
    if gone:
        log.info("samples expired", extra={"chunks": gone})
    alarms.end_stale(platform)
    splits.end_with_their_source(platform)
    platform.alerts.expire(now - NOTICES_SECONDS)
    platform.change_events.expire(now - NOTICES_SECONDS)
    platform.parts.expire(now - PARTS_SECONDS)
    platform.placements.expire(now - PLACEMENTS_SECONDS)
    platform.tallies.expire(now - TALLIES_SECONDS)
    platform.experiments.expire(now - NOTICES_SECONDS)
    platform.events.expire(now - EVENTS_SECONDS)
    platform.replies.expire(now - EVENTS_SECONDS)
    platform.runs.expire(now - NOTICES_SECONDS)
    platform.exhibits.expire(now - exhibits.KEPT_SECONDS)
    platform.graphs.expire(graphs.KEPT_VERSIONS)


def catalogue(platform: Platform, options: WorkerOptions) -> None:
    """Write which methods can be run here; loads them all, and torch with them."""
    platform.results.save_catalogue(entries())


JOBS: Mapping[str, Callable[..., None]] = {
    "catalogue": catalogue,
    "diagnose": diagnose,
    "analyse": analyse,
    "explain": explaining.explain,
    "expire": expire,
    "alerts": alarms.alerts,
    "graphs": graphs.keep_graphs,
    "help": help_with,
    "judge": outcomes.judge,
    "given_up": given_up,
}
"""Every job by name; each takes a platform, the options, and its payload."""


def handlers(platform: Platform, options: WorkerOptions) -> Mapping[str, JobHandler]:
    """The jobs bound to a platform, as `Jobs.serve` wants them."""
    return {name: partial(job, platform, options) for name, job in JOBS.items()}


def _done_before(platform: Platform, diagnosis: Diagnosis, tenant: str) -> tuple[ChangeEvent, ...]:
    """What was done to the system just before the onset."""
    onset = diagnosis.onset_unix
    if onset is None:
        return ()
    return platform.change_events.between(onset - BEFORE_SECONDS, onset, tenant)


def _answered_later(platform: Platform, incident: Incident, end_unix: float) -> bool:
    known: Diagnosis | None = platform.incidents.diagnosis(incident.id, incident.tenant)
    return known is not None and known.end_unix >= end_unix


def _no_diagnosis(platform: Platform, incident: Incident, outcome: str, reason: str) -> None:
    telemetry.DIAGNOSES.labels(outcome).inc()
    log.warning("no diagnosis", extra={"incident": incident.id, "reason": reason})
    platform.incidents.fail(incident.id, reason, incident.tenant)


def _ask_the_methods(platform: Platform, options: WorkerOptions, incident: Incident) -> None:
    """Submit an analysis by each method that runs by itself; note those that cannot apply."""
    methods = registry.load().methods
    needs = frozenset(need for kind in methods.values() for need in kind.about.needs) - _DEAR
    try:
        case = Subject(platform, options, incident).case(needs)
    except InsufficientData as error:
        log.warning(
            "no case for the methods", extra={"incident": incident.id, "reason": str(error)}
        )
        return
    for name, kind in methods.items():
        lacking = missing_library(kind) or missing_needs(kind.about.needs & needs, case)
        if lacking:
            Running(platform, incident, name, {}, options.seed).end("not_applicable", None, lacking)
        elif kind.about.default:
            platform.jobs.submit(
                "analyse", incident_id=incident.id, method=name, params={}, tenant=incident.tenant
            )
