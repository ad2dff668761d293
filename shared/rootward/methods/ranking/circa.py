"""CIRCA's regression hypothesis test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.graph_of import graph_of
from rootward.methods.ranking.incident import before_and_after, onset_of
from rootward.model.case import Case
from rootward.model.kind import Kind
from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.numerics.anomaly import mean_and_deviation
from rootward.numerics.independence import correlations
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.scores import n_sigma

Parents = Mapping[int, Sequence[tuple[int, int]]]
"""For each column its (column, lag) parents, most important first."""
_WITHIN = {
    Kind.SATURATION: (Kind.TRAFFIC,),
    Kind.UTILISATION: (Kind.TRAFFIC,),
    Kind.LATENCY: (Kind.TRAFFIC, Kind.SATURATION, Kind.UTILISATION),
    Kind.ERRORS: (Kind.TRAFFIC, Kind.SATURATION, Kind.UTILISATION, Kind.LATENCY),
}
"""CIRCA's meta graph: which kinds of metric of a service drive which of the same service."""
_ROWS_PER_WEIGHT = 3
_EXACT = 1e-6
"""Residuals below this share of a series' own deviation are rounding."""


@dataclass(frozen=True, kw_only=True)
class Circa(RankingMethod):
    """Ranks by how far a series strays from what its parents foretell, in baseline deviations.

    Parents are those of the graph given; else they follow from known calls and kinds of metrics
    as in CIRCA's structural graph; else ridge Granger learns them. As published, a series that
    was constant before is left out. Without the descendant adjustment, which needs an acyclic
    graph.
    """

    most_parents: int = 10
    """Parents of one series that are used: strongest edges, or most correlated."""

    about = About(
        name="circa",
        family=Family.RANKING,
        question="Which series strays furthest from what its parents foretell?",
        paper="Li et al. 2022, Causal Inference-Based Root Cause Analysis for Online Service "
        "Systems with Intervention Recognition, KDD, arXiv 2206.05871",
        needs=frozenset({Need.GRAPH, Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        window, onset = case.window, onset_of(case)
        mean, deviation = mean_and_deviation(window.baseline)
        measured = np.where(np.isfinite(window.values), window.values, np.nan)
        z = (measured - mean) / np.where(deviation > 0, deviation, 1.0)
        since_gap = rows_since_gap(window.times, window.step_seconds)
        parents = self._parents(case)
        found = np.zeros(len(window.series))
        for effect in np.flatnonzero(deviation > 0).tolist():
            causes = [(c, lag) for c, lag in parents.get(effect, ()) if deviation[c] > 0]
            chosen = causes[: self.most_parents]
            found[effect] = _strays(z, onset, since_gap, effect, chosen)
        return found

    def _parents(self, case: Case) -> Parents:
        if case.graph is None and case.calls:
            return structural(case.window, case.calls)
        place = {series: k for k, series in enumerate(case.window.series)}
        causes: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
        graph = graph_of(case, n_sigma(*before_and_after(case)))
        for edge in graph.edges:
            causes[place[edge.effect]].append((-edge.weight, place[edge.cause], edge.lag))
        series = case.window.series
        return {
            effect: [(c, lag) for _, c, lag in sorted(known, key=lambda k: (k[0], series[k[1]]))]
            for effect, known in causes.items()
        }


def structural(window: Window, calls: Sequence[tuple[str, str]]) -> Parents:
    """CIRCA's structural graph: golden signals within services, and along calls.

    Traffic of callers drives that of their callees; latency and errors of callees drive those
    of their callers. Parents stand by correlation on the baseline, at lag 0.
    """
    names = traits(window.series)
    place = {service: k for k, service in enumerate(names.services)}
    known = [(place[a], place[b]) for a, b in calls if a in place and b in place and a != b]
    owned: dict[tuple[int, Kind], list[int]] = defaultdict(list)
    for column, kind in enumerate(names.kinds):
        owned[int(names.owners[column]), kind].append(column)
    mean, deviation = mean_and_deviation(window.baseline)
    z = (window.baseline - mean) / np.where(deviation > 0, deviation, 1.0)
    related = np.abs(correlations(np.where(np.isfinite(z), z, 0.0)))
    parents: dict[int, list[tuple[int, int]]] = {}
    for (owner, kind), effects in owned.items():
        drivers = [(owner, driver) for driver in _WITHIN.get(kind, ())]
        if kind is Kind.TRAFFIC:
            drivers += [(caller, kind) for caller, callee in known if callee == owner]
        if kind in (Kind.LATENCY, Kind.ERRORS):
            drivers += [(callee, kind) for caller, callee in known if caller == owner]
        columns = {column for driver in drivers for column in owned.get(driver, ())}
        for effect in effects:
            order = sorted(columns, key=lambda c: (-round(related[c, effect], 9), window.series[c]))
            parents[effect] = [(column, 0) for column in order]
    return parents


def _strays(
    z: Float[np.ndarray, "rows series"],
    onset: int,
    since_gap: Int[np.ndarray, " rows"],
    effect: int,
    causes: Sequence[tuple[int, int]],
) -> float:
    """max |residual - mean| / deviation after the onset; regression and scale from before it.

    Parents that leave too few rows are given up, the least important first.
    """
    rows = np.arange(len(z))
    for kept in range(len(causes), -1, -1):
        chosen = causes[:kept]
        longest = max((lag for _, lag in chosen), default=0)
        inputs = np.column_stack(
            [np.ones(len(z)), *(np.roll(z[:, column], lag) for column, lag in chosen)]
        )
        usable = np.isfinite(inputs).all(axis=1) & np.isfinite(z[:, effect])
        usable &= since_gap >= longest
        before, after = rows[usable & (rows < onset)], rows[usable & (rows >= onset)]
        if len(before) >= _ROWS_PER_WEIGHT * (kept + 1) and len(after):
            return _largest(inputs, z[:, effect], before, after)
    return 0.0


def _largest(
    inputs: Float[np.ndarray, "rows inputs"],
    output: Float[np.ndarray, " rows"],
    before: Int[np.ndarray, " before"],
    after: Int[np.ndarray, " after"],
) -> float:
    weights = np.linalg.lstsq(inputs[before], output[before], rcond=1e-10)[0]
    usual = output[before] - inputs[before] @ weights
    left = output[after] - inputs[after] @ weights
    scale = max(float(usual.std()), _EXACT)
    return float(np.abs(left - usual.mean()).max() / scale)
