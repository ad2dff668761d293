"""explain(): diagnose a stretch of time that somebody named, step by step, unless called off."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from time import perf_counter

import numpy as np

from rootward import telemetry
from rootward.errors import Busy, InsufficientData, RootwardError, Unavailable
from rootward.model.event import Facts
from rootward.model.incident import Candidate, Incident
from rootward.model.run import DiagnosisRun, RunState
from rootward.model.window import Window
from rootward.ports import DEFAULT_TENANT, Platform, WindowQuery
from rootward.rca.diagnose import diagnose
from rootward_worker.calls import calls_within
from rootward_worker.learner import discovery_method
from rootward_worker.options import WorkerOptions

log = logging.getLogger(__name__)

PROVISIONAL = 5
"""Candidates that are told before the causal graph is learnt."""


class _CalledOff(Exception):
    """Whoever asked no longer wants to know."""


def explain(
    platform: Platform,
    options: WorkerOptions,
    *,
    run_id: str,
    tenant: str = DEFAULT_TENANT,
) -> None:
    """Answer a run and store the answer, or why there is none; safe to repeat."""
    run = platform.runs.get(run_id, tenant)
    if run.state.over:
        return
    run = replace(run, steps=())

    def reached(name: str) -> None:
        nonlocal run
        run = run.reached(name, platform.clock.now())
        stored = platform.runs.revise(run_id, lambda _: run, tenant)
        if stored.state is RunState.CANCELLED:
            raise _CalledOff

    def ranked(candidates: tuple[Candidate, ...]) -> None:
        nonlocal run
        run = replace(run, provisional=candidates[:PROVISIONAL])

    started = perf_counter()
    try:
        reached("window")
        window = window_of(platform, options, run)
        found = diagnose(
            window,
            discovery=discovery_method(options.discovery),
            calls=calls_within(platform, window.series, tenant),
            seed=options.seed,
            reached=reached,
            ranked=ranked,
        )
    except _CalledOff:
        log.info("diagnosis called off", extra={"run": run_id})
        return
    except (Busy, Unavailable):
        raise
    except RootwardError as error:
        _end(platform, replace(run, state=RunState.FAILED, reason=str(error)), "failed")
        return
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        _end(platform, replace(run, state=RunState.FAILED, reason=reason), "crashed")
        raise
    found = replace(found, seconds=perf_counter() - started)
    outcome = "abstained" if found.abstained else "ok"
    _end(platform, replace(run, state=RunState.READY, diagnosis=found), outcome)


def tell_step(platform: Platform, incident: Incident, name: str) -> None:
    """Tell whoever looks at an incident how far its diagnosis is."""
    facts = {"state": "running", "step": name}
    platform.events.tell("diagnosis", incident.id, facts, incident.tenant)


def tell_first(platform: Platform, incident: Incident, candidates: tuple[Candidate, ...]) -> None:
    """Tell whoever looks at an incident which candidates stand first before a graph is learnt."""
    facts: Facts = {
        "state": "running",
        "step": "graph",
        "candidates": tuple(
            {
                "service": one.service,
                "series": one.series.key,
                "score": one.score,
                "onset_unix": one.onset_unix,
            }
            for one in candidates[:PROVISIONAL]
        ),
    }
    platform.events.tell("diagnosis", incident.id, facts, incident.tenant)


def window_of(platform: Platform, options: WorkerOptions, run: DiagnosisRun) -> Window:
    """The rows of a run and as many before them as a diagnosis looks back over.

    Steps are longer where the stretch would leave less than half of the rows for the baseline.

    Raises:
        InsufficientData: no samples there, none in the stretch, or none before it.
    """
    stretch = run.end_unix - run.start_unix
    most = options.window_rows // 2 * options.step_seconds
    step = options.step_seconds * max(1, math.ceil(stretch / most))
    query = WindowQuery(
        math.ceil(run.end_unix / step) * step,
        options.window_rows,
        step,
        run.tenant,
        services=frozenset(run.services) or None,
    )
    window = platform.samples.window(query)
    measured = np.flatnonzero(np.any(np.isfinite(window.values), axis=1))
    window = window.rows(int(measured[0]), len(window.times))
    onset = window.row_at(run.start_unix)
    if not 0 < onset < len(window.times):
        raise InsufficientData("no samples lie before the start, or none between start and end")
    return window.with_onset(onset)


def _end(platform: Platform, run: DiagnosisRun, outcome: str) -> None:
    platform.runs.revise(run.id, lambda _: run, run.tenant)
    telemetry.DIAGNOSES.labels(outcome).inc()
    log.info("explained", extra={"run": run.id, "outcome": outcome})
