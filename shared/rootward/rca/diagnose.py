"""From a window to a diagnosis: onset, ranking, causal graph, evidence, confidence. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

import numpy as np

from rootward import __version__
from rootward.errors import InsufficientData
from rootward.methods.base import DiscoveryMethod
from rootward.model.graph import CausalGraph
from rootward.model.incident import Band, Candidate, Diagnosis, Evidence, Opinion
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.model.wording import clock, duration, listed
from rootward.numerics.anomaly import mean_and_deviation
from rootward.numerics.suspicion import NEVER
from rootward.rca.confidence import COVERED, LIKELY, MEDIUM, band_of, confidence, likely_count
from rootward.rca.evidence import Findings, evidence, size_of_change
from rootward.rca.excerpt import excerpt
from rootward.rca.explains import explained_shares
from rootward.rca.frame import framed
from rootward.rca.labelled_calls import labelled_calls
from rootward.rca.observation import Observation, symptom_of
from rootward.rca.onset import MIN_BASELINE, around, find_onset
from rootward.rca.ranking import Ranking, rank
from rootward.rca.usual import usual_score
from rootward.rca.views import opinions, views

LEAST_TO_SEARCH = 10
"""Fewest rows in which an onset that nobody named is looked for."""
MAX_CANDIDATES = 50
SCREENED = 40
"""Series that the causal graph is learnt on."""
_EXPLAINED = 5
"""Candidates that get evidence."""
_PLOTTED = 4
"""Candidates whose series are plotted, beside the symptom."""
_NAMED = 5
"""Services that each other method names."""
_SHORT = 30
"""Rows of baseline below which a caution is due."""
_EMPTY = CausalGraph((), ())


@dataclass(frozen=True, eq=False)
class Setting:
    """What a diagnosis was asked for."""

    window: Window
    discovery: DiscoveryMethod | None
    symptom: Series | None
    calls: tuple[tuple[str, str], ...]
    seed: int

    @property
    def method(self) -> str:
        """Name of the discovery method."""
        return self.discovery.about.name if self.discovery else "none"


class _Extent(TypedDict):
    """The part of a diagnosis that tells what it looked at."""

    method: str
    seed: int
    start_unix: float
    end_unix: float
    step_seconds: float
    rows: int
    series_count: int
    version: str


def _nobody(_: str) -> None:
    """Hears of the steps where nobody waits for them."""


def diagnose(
    window: Window,
    *,
    discovery: DiscoveryMethod | None,
    symptom: Series | None = None,
    calls: tuple[tuple[str, str], ...] = (),
    seed: int = 0,
    reached: Callable[[str], None] = _nobody,
    ranked: Callable[[tuple[Candidate, ...]], None] | None = None,
) -> Diagnosis:
    """Ranked causes of what happens in the window from its onset on, with evidence.

    Without an onset it is looked for. `discovery` learns the causal graph on a screened set of
    series; None, or too few rows for it, means a diagnosis without a graph. `symptom` is the
    series the incident was noticed by; `calls` are known (caller, callee) edges, beside those
    that labels tell of. The result is the same for the same input; its `seconds` are 0 and left
    to the caller. `reached` is told of each step: frame, onset, graph, ranking, evidence; what it
    raises ends the diagnosis. `ranked` is given the candidates, without evidence, as they stand
    before the onset is put right by a few rows and the causal graph is learnt.

    Raises:
        InsufficientData: no series, no measured value, or no baseline before the onset.
    """
    calls = (*calls, *labelled_calls(window.series))
    reached("frame")
    framed_window = framed(window)
    _check(framed_window)
    setting = Setting(framed_window, discovery, symptom, calls, seed)
    reached("onset")

    def at_first(seen: Observation) -> None:
        if ranked is not None:
            ranked(_candidates(seen, rank(seen, calls)))

    seen, cautions = _seen(framed_window, calls, at_first)
    if seen is None:
        return _quiet(setting)
    column = symptom_of(seen, _column(framed_window, symptom))
    reached("graph")
    graph, doubts = _graph(setting, seen, column)
    reached("ranking")
    ranking = rank(seen, calls, graph)
    reached("evidence")
    held = explained_shares(seen, ranking, graph, column, _EXPLAINED)
    found = Findings(seen, ranking, graph, views(seen, ranking, graph, column), column, held)
    return _answer(setting, found, (*cautions, *_doubts(seen), *doubts))


def _check(window: Window) -> None:
    if not window.series:
        raise InsufficientData("the window holds no series")
    if len(window.values) < MIN_BASELINE + 1:
        raise InsufficientData(
            f"the window has {len(window.values)} rows; a diagnosis needs {MIN_BASELINE + 1}"
        )
    if not np.isfinite(window.values).any():
        raise InsufficientData("the window holds no measured value")


def _seen(
    window: Window, calls: tuple[tuple[str, str], ...], at_first: Callable[[Observation], None]
) -> tuple[Observation | None, tuple[str, ...]]:
    """What is seen around the onset, and what is to be said about how that is known."""
    if window.onset is None:
        if len(window.values) < LEAST_TO_SEARCH:
            raise InsufficientData(
                f"finding the onset takes {LEAST_TO_SEARCH} rows, the window has "
                f"{len(window.values)}; name the onset, or send more rows"
            )
        onset = find_onset(window, calls)
        if onset is None:
            return None, ()
        seen = around(window.with_onset(onset), calls, at_first)
        when = clock(float(window.times[seen.onset]))
        return seen, (f"The onset was not given; it was found in the data at {when}.",)
    if window.onset < MIN_BASELINE:
        raise InsufficientData(
            f"the onset is row {window.onset}; a baseline needs {MIN_BASELINE} rows before it"
        )
    seen = around(window, calls, at_first)
    moved = float(window.times[seen.onset] - window.times[window.onset])
    if moved > 0:
        return seen, (f"The onset was moved on by {duration(moved)}: nothing departed before.",)
    if moved < 0:
        moved = -moved
        return seen, (
            f"The onset was moved back by {duration(moved)}: the first series departed then.",
        )
    return seen, ()


def _column(window: Window, symptom: Series | None) -> int | None:
    return window.series.index(symptom) if symptom in window.series else None


def _doubts(seen: Observation) -> tuple[str, ...]:
    """What is weak about the data itself."""
    found = []
    if seen.onset < _SHORT:
        found.append(f"The baseline has only {seen.onset} rows; what is usual is known badly.")
    after = len(seen.window.values) - seen.onset
    if after < MIN_BASELINE:
        found.append(f"Only {after} rows lie after the onset; the picture may still change.")
    unknown = int(np.isnan(seen.found.centre).sum())
    if unknown:
        found.append(f"{unknown} series have no measured baseline and could not be judged.")
    return tuple(found)


def _screened(seen: Observation, symptom: int | None) -> list[int]:
    """The columns worth a causal graph: the symptom, then by surprise; none that is constant."""
    before = seen.window.values[: seen.onset]
    usable = (mean_and_deviation(before)[1] > 0) & (np.isfinite(before).mean(axis=0) > 0.5)
    order = sorted(
        np.flatnonzero(usable).tolist(),
        key=lambda c: (c != symptom, -seen.surprise[c], seen.window.series[c]),
    )
    return sorted(order[:SCREENED], key=lambda c: seen.window.series[c])


def _graph(
    setting: Setting, seen: Observation, symptom: int | None
) -> tuple[CausalGraph, tuple[str, ...]]:
    """The causal graph of the screened series, and what is to be said about it."""
    if setting.discovery is None:
        return _EMPTY, ()
    columns = _screened(seen, symptom)
    if not columns:
        return _EMPTY, ("No causal graph was learnt: no series varied before the onset.",)
    part = seen.window.select(columns).with_onset(seen.onset)
    try:
        graph = setting.discovery.discover(part, setting.seed)
    except InsufficientData as error:
        return _EMPTY, (f"No causal graph was learnt: {error}.",)
    left_out = len(seen.window.series) - len(columns)
    if not left_out:
        return graph, ()
    text = f"The causal graph covers {len(columns)} of {len(seen.window.series)} series"
    return graph, (f"{text}; the others departed least or never varied.",)


def _answer(setting: Setting, found: Findings, cautions: tuple[str, ...]) -> Diagnosis:
    seen, ranking, symptom = found.seen, found.ranking, found.symptom
    after = len(seen.window.values) - seen.onset
    probability = 0.0
    if seen.departed:
        searched = seen.onset if setting.window.onset is None else None
        usual = usual_score(seen, setting.calls)
        probability = confidence(ranking.scores, after, usual, searched)
    plotted = dict.fromkeys([*([] if symptom is None else [symptom]), *ranking.speaking[:_PLOTTED]])
    likely = ranking.services[: likely_count(ranking.scores, after) if probability > 0 else 0]
    return Diagnosis(
        conclusion=_conclusion(found, probability),
        candidates=_candidates(seen, ranking, partial(evidence, found)),
        graph=found.graph,
        confidence=probability,
        band=band_of(probability),
        abstained=probability < MEDIUM,
        onset_unix=float(seen.window.times[seen.onset]),
        symptom=setting.symptom if symptom is None else found.series(symptom),
        cautions=(*cautions, *_set_of(likely)),
        excerpts=tuple(excerpt(seen.window, c, seen.onset, seen.found) for c in plotted),
        opinions=_opinions(seen),
        likely=likely,
        **_extent(setting),
    )


def _set_of(likely: tuple[str, ...]) -> tuple[str, ...]:
    """The likely set in words, with how far it was right on systems that it was not fitted on."""
    if not likely:
        return ()
    more = [f"{len(likely) - _NAMED} more"] if len(likely) > _NAMED else []
    named = listed([*likely[:_NAMED], *more])
    return (
        f"Not to be ruled out: {named}. Sets drawn like this one are meant to hold the cause in "
        f"{round(100 * LIKELY)} % of incidents; on labelled systems that were left out of the fit "
        f"they did in {COVERED}.",
    )


def _conclusion(found: Findings, probability: float) -> str:
    seen, ranking = found.seen, found.ranking
    checked = f"{len(seen.window.series)} series of {len(seen.traits.services)} services"
    change = size_of_change(seen, ranking.speaking[0])
    if probability >= MEDIUM:
        return f"{ranking.services[0]} is the most likely cause: {change.text}"
    if probability > 0:
        return (
            f"No confident cause: {ranking.services[0]} stands out most, and is the cause in about "
            f"{round(10 * probability)} of 10 such cases: {change.text}"
        )
    if not seen.departed:
        return (
            f"No confident cause: none of {checked} left its baseline for longer than one row. "
            "What broke, if anything did, is not measured here."
        )
    return (
        f"No confident cause: of {checked} none departed clearly further than the others, or than "
        f"is usual here. The furthest: {change.text} Series closer to the fault, or more rows, "
        "may show it."
    )


def _unexplained(_: int) -> tuple[Evidence, ...]:
    """What stands beside candidates that are not explained (yet)."""
    return ()


def _candidates(
    seen: Observation,
    ranking: Ranking,
    explain: Callable[[int], tuple[Evidence, ...]] = _unexplained,
) -> tuple[Candidate, ...]:
    """Services in their order; `explain` is asked for the evidence of the first places."""
    series = seen.window.series
    shares = ranking.shares[:MAX_CANDIDATES] / ranking.shares[:MAX_CANDIDATES].sum()
    listed = []
    for place, service in enumerate(ranking.services[:MAX_CANDIDATES]):
        column = ranking.speaking[place]
        row = int(seen.onsets[column])
        candidate = Candidate(
            rank=place + 1,
            service=service,
            series=series[column],
            score=float(shares[place]),
            evidence=explain(place) if place < _EXPLAINED else (),
            onset_unix=None if row == NEVER else float(seen.window.times[row]),
            also=tuple(series[c] for c in ranking.spoken[place][1:]),
        )
        listed.append(candidate)
    return tuple(listed)


def _opinions(seen: Observation) -> tuple[Opinion, ...]:
    found = []
    for method, scores in opinions(seen.window, seen.onset, seen).items():
        order = sorted(scores, key=lambda service: (-scores[service], service))
        found.append(Opinion(method, tuple(s for s in order[:_NAMED] if scores[s] > 0)))
    return tuple(found)


def _quiet(setting: Setting) -> Diagnosis:
    window = setting.window
    return Diagnosis(
        conclusion=(
            f"No confident cause: {len(window.series)} series over {len(window.values)} rows "
            "were checked, and at no time did any of them leave its course clearly."
        ),
        candidates=(),
        graph=_EMPTY,
        confidence=0.0,
        band=Band.NONE,
        abstained=True,
        onset_unix=None,
        symptom=setting.symptom,
        **_extent(setting),
    )


def _extent(setting: Setting) -> _Extent:
    window = setting.window
    return {
        "method": setting.method,
        "seed": setting.seed,
        "start_unix": float(window.times[0]),
        "end_unix": float(window.times[-1]),
        "step_seconds": window.step_seconds,
        "rows": len(window.values),
        "series_count": len(window.series),
        "version": __version__,
    }
