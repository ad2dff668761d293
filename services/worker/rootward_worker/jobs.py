"""diagnose(), analyse(), expire(): what the workers do, and the table JOBS that names them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from time import perf_counter
from typing import Any, Literal

import numpy as np

from rootward import telemetry
from rootward.errors import (
    Busy,
    InsufficientData,
    InvalidConfiguration,
    NotFound,
    RootwardError,
    Unavailable,
)
from rootward.methods import registry
from rootward.methods.base import DiscoveryMethod, Method, Need
from rootward.model.case import Case
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.result import Analysis, Result
from rootward.model.window import Window
from rootward.ports import DEFAULT_TENANT, JobHandler, JsonValue, Platform, WindowQuery
from rootward.rca.diagnose import diagnose as diagnosis_of
from rootward.rca.frame import framed
from rootward_worker import story
from rootward_worker.catalogue import entries
from rootward_worker.detect import MARGIN_ROWS
from rootward_worker.options import WorkerOptions

log = logging.getLogger(__name__)

EXPIRE_EVERY_SECONDS = 600.0
LEAST_BASELINE = 30
"""Rows that must be left when those of earlier incidents are taken out."""
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
    end = _last_row_unix(platform, options, incident) if end_unix is None else end_unix
    started = perf_counter()
    try:
        window, left_out = without_earlier(
            platform, incident, window_of(platform, options, incident, end)
        )
        found = diagnosis_of(
            window,
            discovery=discovery_method(options.discovery),
            symptom=incident.symptom,
            seed=options.seed,
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
        platform.incidents.save(incident.id, replace(found, seconds=seconds, cautions=told), tenant)
    log.info("diagnosed", extra={"incident": incident.id, "seconds": round(seconds, 3)})
    _ask_the_methods(platform, incident)


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
    started = perf_counter()
    given = dict(params or {})

    def store(status: Literal["ok", "not_applicable", "failed"], result: Result | None = None,
              reason: str = "") -> None:  # fmt: skip
        seconds = perf_counter() - started
        spelled = _differing(method, given)
        analysis = Analysis(incident.id, method, spelled, status, result, reason, seconds)
        platform.results.save(analysis, tenant)
        telemetry.ANALYSES.labels(status).inc()

    try:
        made = registry.load().make(method, given)
        result = made.run(_case(platform, options, incident, made))
    except _OUTAGES:
        raise
    except InsufficientData as error:
        store("not_applicable", reason=str(error))
    except RootwardError as error:
        store("failed", reason=str(error))
    except Exception as error:
        store("failed", reason=f"{type(error).__name__}: {error}")
        raise
    else:
        store("ok", result)


def expire(platform: Platform, options: WorkerOptions) -> None:
    """Delete samples that are older than the retention, and come back later."""
    platform.jobs.submit("expire", delay_seconds=EXPIRE_EVERY_SECONDS)
    gone = platform.samples.expire(platform.clock.now() - options.retention_seconds)
    if gone:
        log.info("samples expired", extra={"chunks": gone})


def catalogue(platform: Platform, options: WorkerOptions) -> None:
    """Write which methods can be run here; loads them all, and torch with them."""
    platform.results.save_catalogue(entries())


JOBS: Mapping[str, Callable[..., None]] = {
    "catalogue": catalogue,
    "diagnose": diagnose,
    "analyse": analyse,
    "expire": expire,
}
"""Every job by name; each takes a platform, the options, and its payload."""


def handlers(platform: Platform, options: WorkerOptions) -> Mapping[str, JobHandler]:
    """The jobs bound to a platform, as `Jobs.serve` wants them."""
    return {name: partial(job, platform, options) for name, job in JOBS.items()}


def discovery_method(name: str) -> DiscoveryMethod:
    """The method that learns the causal graph.

    Raises:
        InvalidConfiguration: there is none of that name, or it does not learn graphs.
    """
    try:
        made = registry.load().make(name)
    except NotFound as error:
        raise InvalidConfiguration(str(error)) from error
    if not isinstance(made, DiscoveryMethod):
        raise InvalidConfiguration(f"{name} does not learn a causal graph")
    return made


def window_of(
    platform: Platform, options: WorkerOptions, incident: Incident, end_unix: float
) -> Window:
    """The raw rows up to a time, with the incident's onset.

    Raises:
        InsufficientData: no samples there, or none from the incident.
    """
    query = WindowQuery(end_unix, options.window_rows, options.step_seconds, incident.tenant)
    window = platform.samples.window(query)
    measured = np.flatnonzero(np.any(np.isfinite(window.values), axis=1))
    window = window.rows(int(measured[0]), len(window.times))
    onset = window.row_at(incident.onset_unix)
    if not 0 < onset < len(window.times):
        raise InsufficientData(
            f"of the {len(window.times)} rows up to the end of the window none lies before "
            "the onset, or none after it; widen ROOTWARD_WINDOW_ROWS"
        )
    return window.with_onset(onset)


def without_earlier(
    platform: Platform, incident: Incident, window: Window
) -> tuple[Window, tuple[str, ...]]:
    """The window with the rows of earlier incidents taken out of its baseline, and a word on it.

    They stay where too few other rows would be left to tell what is normal.
    """
    margin = MARGIN_ROWS * window.step_seconds
    before = window.times < incident.onset_unix - margin
    out = np.zeros(len(window.times), dtype=bool)
    for one in platform.incidents.page(incident.tenant, status=Status.RESOLVED).items:
        if one.id != incident.id and not story.is_new_normal(one):
            begun, ended = one.onset_unix - margin, one.last_change_unix + margin
            out |= before & (window.times >= begun) & (window.times <= ended)
    if not out.any():
        return window, ()
    if np.count_nonzero(before & ~out) < LEAST_BASELINE:
        return window, ("The baseline holds rows of earlier incidents.",)
    values = np.where(out[:, None], np.nan, window.values)
    word = f"{np.count_nonzero(out)} rows of earlier incidents were left out of the baseline."
    return replace(window, values=values), (word,)


def _case(platform: Platform, options: WorkerOptions, incident: Incident, method: Method) -> Case:
    diagnosis = platform.incidents.diagnosis(incident.id, incident.tenant)
    end = diagnosis.end_unix if diagnosis else _last_row_unix(platform, options, incident)
    frame = framed(window_of(platform, options, incident, end))
    needs_graph = Need.GRAPH in method.about.needs
    if needs_graph and diagnosis is None:
        raise InsufficientData("needs a causal graph, and the incident has no diagnosis yet")
    return Case(
        window=frame,
        symptom=_symptom_column(frame, incident),
        seed=options.seed,
        graph=diagnosis.graph if diagnosis and needs_graph else None,
    )


def _symptom_column(frame: Window, incident: Incident) -> int | None:
    return frame.series.index(incident.symptom) if incident.symptom in frame.series else None


def _last_row_unix(platform: Platform, options: WorkerOptions, incident: Incident) -> float:
    """The newest row that is complete; of a resolved incident, the last one with a symptom."""
    latest = platform.samples.latest_unix(incident.tenant)
    if latest is None:
        raise InsufficientData("no samples are stored")
    latest = min(latest, platform.clock.now())
    row = (math.ceil(latest / options.step_seconds) - 1) * options.step_seconds
    if incident.status is Status.RESOLVED:
        return min(row, max(incident.last_change_unix, incident.opened_unix))
    return row


def _answered_later(platform: Platform, incident: Incident, end_unix: float) -> bool:
    known: Diagnosis | None = platform.incidents.diagnosis(incident.id, incident.tenant)
    return known is not None and known.end_unix >= end_unix


def _no_diagnosis(platform: Platform, incident: Incident, outcome: str, reason: str) -> None:
    telemetry.DIAGNOSES.labels(outcome).inc()
    log.warning("no diagnosis", extra={"incident": incident.id, "reason": reason})
    platform.incidents.fail(incident.id, reason, incident.tenant)


def _ask_the_methods(platform: Platform, incident: Incident) -> None:
    """Submit an analysis by each method that runs on every incident."""
    for name, kind in registry.load().methods.items():
        if kind.about.default:
            platform.jobs.submit(
                "analyse", incident_id=incident.id, method=name, params={}, tenant=incident.tenant
            )


def _differing(method: str, given: Mapping[str, Any]) -> str:
    """The parameters that differ from the defaults, in one spelling."""
    kind = registry.load().methods.get(method)
    defaults: dict[str, object] = {}
    if kind is not None and is_dataclass(kind):
        defaults = {f.name: f.default for f in fields(kind)}
    return registry.canonical(
        {k: v for k, v in given.items() if k not in defaults or defaults[k] != v}
    )
