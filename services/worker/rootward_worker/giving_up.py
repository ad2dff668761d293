"""given_up(): what people see of a job that will not be tried again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from rootward import telemetry
from rootward.errors import NotFound
from rootward.model.run import RunState
from rootward.ports import DEFAULT_TENANT, JsonValue, Platform
from rootward_worker.options import WorkerOptions
from rootward_worker.running import Running

log = logging.getLogger(__name__)


def given_up(
    platform: Platform,
    options: WorkerOptions,
    *,
    job: str,
    reason: str,
    payload: Mapping[str, JsonValue],
    tenant: str = DEFAULT_TENANT,
) -> None:
    """Store why a diagnosis or an analysis will never come, where nothing else could say so."""
    try:
        if job == "explain":
            _no_run(platform, str(payload["run_id"]), reason, tenant)
        elif job == "diagnose":
            _no_diagnosis(platform, str(payload["incident_id"]), reason, tenant)
        elif job == "analyse":
            _no_analysis(platform, options, payload, reason, tenant)
    except NotFound as error:
        log.warning("nothing to say it of", extra={"job": job, "reason": str(error)})


def _no_run(platform: Platform, run_id: str, reason: str, tenant: str) -> None:
    telemetry.DIAGNOSES.labels("given_up").inc()
    platform.runs.revise(
        run_id,
        lambda run: run if run.state.over else replace(run, state=RunState.FAILED, reason=reason),
        tenant,
    )


def _no_diagnosis(platform: Platform, incident_id: str, reason: str, tenant: str) -> None:
    telemetry.DIAGNOSES.labels("given_up").inc()
    platform.incidents.fail(incident_id, reason, tenant)


def _no_analysis(
    platform: Platform,
    options: WorkerOptions,
    payload: Mapping[str, JsonValue],
    reason: str,
    tenant: str,
) -> None:
    incident = platform.incidents.get(str(payload["incident_id"]), tenant)
    params = payload.get("params")
    given = dict(params) if isinstance(params, Mapping) else {}
    running = Running(platform, incident, str(payload["method"]), given, options.seed)
    running.end("failed", reason=reason)
