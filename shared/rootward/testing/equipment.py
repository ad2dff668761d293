"""Cases for any method: with all that it asks for, small ones, and ones without an effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from rootward.methods.base import Method, Need
from rootward.model.case import Case
from rootward.model.experiment import Calibration, Experiment
from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import Candidate, Change
from rootward.model.past import Document
from rootward.testing import cases
from rootward.testing.cases import Planted

UNITS = 600
"""Of the experiment."""
CALM_ROWS = 300
CALM_OWN = 0.8
"""How much of a row of a calm case is left in the next one."""


def standard_case(method: Method) -> Case:
    """A latency fault deep in the shop."""
    return equipped(method, cases.shop(seed=1))


def small_case(method: Method) -> Case:
    """A fault at the head of a chain of six."""
    return equipped(method, cases.chain(rows=240, seed=1, length=6, fault=8.0))


def calm_case(method: Method, seed: int) -> Case:
    """Six series that remember four fifths of their last row, nothing between them, no fault.

    The onset is one that a detector claimed falsely; the experiment's rollout does nothing.
    """
    planted = cases.noise(CALM_ROWS, seed, series=6, own=CALM_OWN)
    window = planted.window.with_onset(CALM_ROWS * 2 // 3)
    return equipped(method, replace(planted, window=window, edges=frozenset()), effect=0.0)


def equipped(method: Method, planted: Planted, *, effect: float = 1.0) -> Case:
    """The case with the true graph, quiet history and whatever else the method needs.

    `effect` is what the rollout of the experiment does, in deviations of the outcome.
    """
    case = planted.case(seed=3)
    for need in sorted(method.about.needs):
        if need in _SUPPLY:
            case = replace(case, **_SUPPLY[need](planted))
    if Need.EXPERIMENT in method.about.needs:
        case = replace(case, experiment=experiment(case.seed, effect))
    return case


def experiment(seed: int, effect: float) -> Experiment:
    """A rollout that raises the outcome by `effect` where it is taken, and by itself not at all.

    Whether it is taken depends on the flag, a covariate, and something nobody wrote down that
    also drives the outcome. Units follow each other with a memory of four fifths. The pairs of
    predicted and true scores are for a method that takes the outcome for a prediction.
    """
    rng = np.random.default_rng(seed)
    known = rng.uniform(-1, 1, (UNITS, 2))
    hidden = _remembering(rng, UNITS)
    flag = (rng.random(UNITS) < 0.5).astype(float)
    chance = 0.2 + 0.35 * flag * (1 + 0.3 * known[:, 0]) + 0.1 * np.tanh(hidden)
    taken = (rng.random(UNITS) < chance).astype(float)
    outcome = effect * taken + known[:, 1] + hidden + 0.5 * rng.standard_normal(UNITS)
    names = ("size", "load")
    true = rng.standard_normal(UNITS)
    pairs = Calibration(0.5 * (true + rng.standard_normal(UNITS)), true)
    return Experiment(
        "new-path", flag, taken, outcome, "latency_deviations", known, names, calibration=pairs
    )


def _remembering(rng: np.random.Generator, rows: int) -> np.ndarray:
    noise = rng.standard_normal(rows) * np.sqrt(1 - CALM_OWN**2)
    values = np.empty(rows)
    values[0] = rng.standard_normal()
    for t in range(1, rows):
        values[t] = CALM_OWN * values[t - 1] + noise[t]
    return values


def _graph(planted: Planted) -> dict[str, Any]:
    edges = tuple(Edge(i, j, 1, 0.5, 1) for i, j in sorted(planted.edges))
    return {"graph": CausalGraph(planted.window.series, edges)}


def _history(planted: Planted) -> dict[str, Any]:
    return {"history": (planted.window.with_onset(None),)}


def _changes(planted: Planted) -> dict[str, Any]:
    """What moved by more than four deviations, all at the onset."""
    window = planted.window
    if window.onset is None or not 0 < window.onset < len(window.times):
        return {}
    found = []
    for k, series in enumerate(window.series):
        before, after = window.baseline[:, k], window.incident[:, k]
        if np.isfinite(before).sum() < 2 or not np.isfinite(after).any():
            continue
        low, spread, high = np.nanmedian(before), np.nanstd(before), np.nanmedian(after)
        if abs(high - low) > 4 * spread > 0 and np.isfinite(high):
            score = float((high - low) / spread)
            onset = float(window.times[window.onset])
            found.append(Change(series, onset, score, float(low), float(high)))
    return {"changes": tuple(found)}


def _candidates(planted: Planted) -> dict[str, Any]:
    """The true cause first, where there is one."""
    first = planted.cause or planted.window.series[0]
    if first not in planted.window.series:
        first = planted.window.series[0]
    others = [s for s in planted.window.services if s != first.service]
    named = {s.service: s for s in reversed(planted.window.series)}
    ranked = [first, *(named[service] for service in others)]
    shares = 0.5 ** np.arange(1, len(ranked) + 1)
    shares /= shares.sum()
    return {
        "candidates": tuple(
            Candidate(rank, s.service, s, float(share))
            for rank, (s, share) in enumerate(zip(ranked, shares, strict=True), start=1)
        )
    }


def _documents(planted: Planted) -> dict[str, Any]:
    names = planted.window.services
    incidents = tuple(
        Document(
            f"INC-{k}",
            "incident",
            f"{name} latency high",
            f"{name} slowed down; its callers followed. Cause: {name}.",
            name,
            float(planted.window.times[0]) - 86400.0 * (60 - k),
        )
        for k, name in enumerate(names, start=1)
    )
    runbook = Document("restart", "runbook", "Restart a service", "Drain it, then restart it.")
    return {"documents": (*incidents, runbook)}


def _text(planted: Planted) -> dict[str, Any]:
    cause = planted.cause or planted.window.series[0]
    last = planted.window.series[-1]
    return {"text": f"{cause} caused {last}. {last} did not cause {cause}."}


_SUPPLY: Mapping[Need, Callable[[Planted], dict[str, Any]]] = {
    Need.GRAPH: _graph,
    Need.HISTORY: _history,
    Need.CHANGES: _changes,
    Need.CANDIDATES: _candidates,
    Need.DOCUMENTS: _documents,
    Need.TEXT: _text,
}
