"""Mechanism change: what is left of a departure once its causes are accounted for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.graph_of import graph_of
from rootward.methods.ranking.incident import onset_of
from rootward.methods.ranking.surprise import observed
from rootward.model.case import Case
from rootward.numerics.mechanism import mechanism
from rootward.numerics.regression import rows_since_gap


@dataclass(frozen=True, kw_only=True)
class Residuals(RankingMethod):
    """Ranks by the part of each departure that the series' causes do not foretell.

    Each series is fitted on its causes before the onset. One that still follows them after it is
    a victim; one that does not has changed itself. A missed cause makes a victim look guilty.
    """

    most_causes: int = 8
    """Causes of one series that are used, strongest first."""

    about = About(
        name="residuals",
        family=Family.RANKING,
        question="Whose change do its causes not explain?",
        paper="Li et al. 2022, CIRCA, KDD, regression hypothesis test, on learnt lagged parents",
        needs=frozenset({Need.GRAPH, Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        window, onset = case.window, onset_of(case)
        found, surprise = observed(window, onset)
        place = {series: k for k, series in enumerate(window.series)}
        causes: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
        for edge in graph_of(case, surprise).edges:
            causes[place[edge.effect]].append((-edge.weight, place[edge.cause], edge.lag))
        since_gap = rows_since_gap(window.times, window.step_seconds)
        left = np.ones(len(surprise))
        for effect, known in causes.items():
            strongest = [(c, lag) for _, c, lag in sorted(known)[: self.most_causes]]
            left[effect] -= mechanism(found.z, onset, since_gap, effect, strongest).passed_on
        return surprise * left
