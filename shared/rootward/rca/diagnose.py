"""From a window to a diagnosis: onset, ranking, causal graph, evidence, confidence. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from rootward import __version__
from rootward.errors import InsufficientData
from rootward.methods.base import DiscoveryMethod
from rootward.model.graph import CausalGraph
from rootward.model.incident import Band, Candidate, Diagnosis, Evidence
from rootward.model.kind import Kind, kind_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.anomaly import mean_and_deviation
from rootward.numerics.suspicion import NEVER
from rootward.rca.confidence import band_of
from rootward.rca.evidence import order_of_onset, size_of_change, why_not_first
from rootward.rca.excerpt import excerpt
from rootward.rca.frame import framed
from rootward.rca.labelled_calls import labelled_calls
from rootward.rca.onset import MIN_BASELINE, find_onset
from rootward.rca.ranking import Ranking, rank

MAX_CANDIDATES = 50
FELT = frozenset({Kind.LATENCY, Kind.ERRORS})
SCREENED = 40
"""Series that the causal graph is learnt on."""
_PLOTTED = 4
_EXPLAINED = 5
"""Candidates that get evidence."""


def diagnose(
    window: Window,
    *,
    discovery: DiscoveryMethod | None,
    symptom: Series | None = None,
    calls: tuple[tuple[str, str], ...] = (),
    seed: int = 0,
) -> Diagnosis:
    """Ranked causes of what happens in the window from its onset on, with evidence.

    Without an onset it is looked for. `discovery` learns the causal graph on a screened set of
    series; None, or too few rows for it, means a diagnosis without a graph. `symptom` is the
    series the incident was noticed by; `calls` are known (caller, callee) edges, beside those that
    labels name. The result is
    the same for the same input; its `seconds` are 0 and left to the caller.

    Raises:
        InsufficientData: no series, no measured value, or no row before the onset.
    """
    calls = (*calls, *labelled_calls(window.series))
    window = framed(window)
    _check(window)
    onset, cautions = _onset(window)
    setting = Setting(window, discovery.about.name if discovery else "none", seed)
    if onset is None:
        return _quiet(setting, symptom)
    ranking = rank(window, onset, calls)
    noticed = _symptom_column(window, ranking, symptom)
    graph, doubts = _graph(window, ranking, noticed, discovery, seed)
    return _answer(setting, ranking, graph, noticed, (*cautions, *doubts))


class Extent(TypedDict):
    """The part of a diagnosis that tells what it looked at."""

    start_unix: float
    end_unix: float
    step_seconds: float
    rows: int
    series_count: int
    version: str


@dataclass(frozen=True, eq=False)
class Setting:
    """What a diagnosis was asked for."""

    window: Window
    method: str
    seed: int


def _check(window: Window) -> None:
    if not window.series:
        raise InsufficientData("the window holds no series")
    if not np.isfinite(window.values).any():
        raise InsufficientData("the window holds no measured value")
    if len(window.values) < MIN_BASELINE + 1:
        raise InsufficientData(
            f"the window has {len(window.values)} rows; a diagnosis needs {MIN_BASELINE + 1}"
        )


def _onset(window: Window) -> tuple[int | None, tuple[str, ...]]:
    if window.onset is None:
        return find_onset(window.values), ("The onset was not given; it was found in the data.",)
    if window.onset < MIN_BASELINE:
        raise InsufficientData(
            f"the onset is row {window.onset}; a baseline needs {MIN_BASELINE} rows before it"
        )
    return window.onset, ()


def _symptom_column(window: Window, ranking: Ranking, symptom: Series | None) -> int | None:
    """The symptom's column; without one, the most surprising series that a user can feel."""
    if symptom is not None and symptom in window.series:
        return window.series.index(symptom)
    felt = [c for c, s in enumerate(window.series) if kind_of(s.metric) in FELT]
    moved = [c for c in felt if ranking.onsets[c] != NEVER]
    if not moved:
        return None
    return max(moved, key=lambda c: (ranking.surprise[c], window.series[c]))


def _screened(window: Window, ranking: Ranking, symptom: int | None) -> list[int]:
    """The columns worth a causal graph: the symptom, then by surprise; none that is constant."""
    values = window.values[: ranking.onset]
    varied = mean_and_deviation(values)[1] > 0
    known = np.isfinite(values).mean(axis=0) > 0.5
    order = sorted(
        np.flatnonzero(varied & known).tolist(),
        key=lambda c: (c != symptom, -ranking.surprise[c], window.series[c]),
    )
    return sorted(order[:SCREENED], key=lambda c: window.series[c])


def _graph(
    window: Window,
    ranking: Ranking,
    symptom: int | None,
    discovery: DiscoveryMethod | None,
    seed: int,
) -> tuple[CausalGraph, tuple[str, ...]]:
    """The causal graph of the screened series, and what is to be said about it."""
    if discovery is None:
        return CausalGraph((), ()), ()
    columns = _screened(window, ranking, symptom)
    part = window.select(columns).with_onset(ranking.onset)
    try:
        graph = discovery.discover(part, seed)
    except InsufficientData as error:
        return CausalGraph((), ()), (f"No causal graph was learnt: {error}.",)
    left_out = len(window.series) - len(columns)
    if not left_out:
        return graph, ()
    text = f"The causal graph covers {len(columns)} of {len(window.series)} series"
    return graph, (f"{text}; the others moved least or were constant.",)


def _answer(
    setting: Setting,
    ranking: Ranking,
    graph: CausalGraph,
    symptom: int | None,
    cautions: tuple[str, ...],
) -> Diagnosis:
    window, onset = setting.window, ranking.onset
    confidence = float(ranking.shares[0])
    abstained = not (ranking.onsets != NEVER).any()
    shown = dict.fromkeys([*([] if symptom is None else [symptom]), *ranking.speaking[:_PLOTTED]])
    return Diagnosis(
        conclusion=_conclusion(window, ranking, abstained),
        candidates=_candidates(window, ranking, symptom),
        graph=graph,
        confidence=0.0 if abstained else confidence,
        band=Band.NONE if abstained else band_of(confidence),
        abstained=abstained,
        onset_unix=float(window.times[onset]),
        symptom=None if symptom is None else window.series[symptom],
        method=setting.method,
        seed=setting.seed,
        cautions=cautions,
        excerpts=tuple(excerpt(window, column, onset, ranking.found) for column in shown),
        **_extent(window),
    )


def _conclusion(window: Window, ranking: Ranking, abstained: bool) -> str:
    if abstained:
        return (
            f"No confident cause: none of {len(window.series)} series left its baseline after "
            "the onset. What broke may not be measured here."
        )
    change = size_of_change(window, ranking, ranking.speaking[0], ranking.onset)
    return f"{ranking.services[0]} is the most likely cause: {change.text}"


def _candidates(window: Window, ranking: Ranking, symptom: int | None) -> tuple[Candidate, ...]:
    found = []
    for place, service in enumerate(ranking.services[:MAX_CANDIDATES]):
        column = ranking.speaking[place]
        row = int(ranking.onsets[column])
        found.append(
            Candidate(
                place + 1,
                service,
                window.series[column],
                float(ranking.shares[place]),
                _evidence(window, ranking, place, symptom) if place < _EXPLAINED else (),
                None if row == NEVER else float(window.times[row]),
            )
        )
    return tuple(found)


def _evidence(
    window: Window, ranking: Ranking, place: int, symptom: int | None
) -> tuple[Evidence, ...]:
    column = ranking.speaking[place]
    order = order_of_onset(window, ranking, column, symptom)
    against = why_not_first(window, ranking, place) if place else None
    size = size_of_change(window, ranking, column, ranking.onset)
    return tuple(one for one in (size, order, against) if one is not None)


def _quiet(setting: Setting, symptom: Series | None) -> Diagnosis:
    window = setting.window
    return Diagnosis(
        conclusion=(
            f"No confident cause: {len(window.series)} series over {len(window.values)} rows "
            "were checked, and at no time did they leave their course together."
        ),
        candidates=(),
        graph=CausalGraph((), ()),
        confidence=0.0,
        band=Band.NONE,
        abstained=True,
        onset_unix=None,
        symptom=symptom,
        method=setting.method,
        seed=setting.seed,
        **_extent(window),
    )


def _extent(window: Window) -> Extent:
    return {
        "start_unix": float(window.times[0]),
        "end_unix": float(window.times[-1]),
        "step_seconds": window.step_seconds,
        "rows": len(window.values),
        "series_count": len(window.series),
        "version": __version__,
    }
