"""Granger causality of pairs with PageRank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidParameters
from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.discovery.baseline import baseline
from rootward.methods.ranking.uniform_walk import check_damping, walked
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.window import Window
from rootward.numerics.independence import pairwise_granger
from rootward.numerics.regression import lagged_design

_ROWS_PER_LAG = 10


@dataclass(frozen=True, kw_only=True)
class GrangerPageRank(RankingMethod):
    """Ranks by where the edges of pairwise Granger tests lead back to, without sizes of changes.

    A baseline: pairs are tested without a look at third series, so that a common cause makes
    edges. The graph is learnt on rows before and after the onset, on the series that went
    furthest.
    """

    damping: float = 0.85
    """Probability of walking on instead of starting again."""
    max_lag: int = 3
    """Rows of the past that may help a forecast."""
    significance: float = 0.05
    """P-value of the F-test up to which a pair has an edge."""

    about = About(
        name="granger_page_rank",
        family=Family.RANKING,
        question="Where do the forecasts that a second series improves lead back to?",
        paper="Baseline; Granger 1969, Econometrica 37(3); "
        "Pham et al. 2024, ASE, arXiv 2408.13729 (Granger-PageRank)",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def __post_init__(self) -> None:
        check_damping(self.damping)
        if self.max_lag < 1:
            raise InvalidParameters(f"max_lag is {self.max_lag}; it is at least 1")

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return walked(case, self._learn, self.damping)

    def _learn(self, window: Window) -> CausalGraph:
        rows = baseline(window)
        rows.require(_ROWS_PER_LAG * self.max_lag, self.max_lag)
        strength, p = pairwise_granger(*lagged_design(rows.values, rows.since_gap, self.max_lag))
        series = [window.series[column] for column in rows.columns]
        edges = tuple(
            Edge(series[i], series[j], 1, float(strength[i, j]))
            for i, j in np.argwhere(p <= self.significance).tolist()
        )
        return CausalGraph(window.series, edges)
