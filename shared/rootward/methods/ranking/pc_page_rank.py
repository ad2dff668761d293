"""PC with PageRank, the oldest of the graph rankings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.discovery.pc import PC
from rootward.methods.ranking.uniform_walk import check_damping, walked
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.window import Window


@dataclass(frozen=True, kw_only=True)
class PcPageRank(RankingMethod):
    """Ranks by where the edges of a PC graph lead back to, whatever the size of the changes.

    A baseline: in every published comparison it is near chance. The graph is learnt on rows
    before and after the onset, on the series that went furthest.
    """

    damping: float = 0.85
    """Probability of walking on instead of starting again."""
    significance: float = 0.05
    """P-value up to which two series count as dependent."""

    about = About(
        name="pc_page_rank",
        family=Family.RANKING,
        question="Where do the edges that no third series explains lead back to?",
        paper="Baseline; Pham et al. 2024, ASE, arXiv 2408.13729 (PC-PageRank)",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def __post_init__(self) -> None:
        check_damping(self.damping)

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        def learn(window: Window) -> CausalGraph:
            return PC(significance=self.significance).discover(window, case.seed)

        return walked(case, learn, self.damping)
