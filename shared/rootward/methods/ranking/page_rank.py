"""PageRank from the symptom back along the causal graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidParameters
from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.graph_of import graph_of
from rootward.methods.ranking.incident import onset_of
from rootward.methods.ranking.surprise import observed
from rootward.model.case import Case
from rootward.numerics.walk import pagerank


@dataclass(frozen=True, kw_only=True)
class PageRank(RankingMethod):
    """Ranks by how often a walker from effects to surprising causes is at a series.

    The graph is reversed, so that rank gathers at causes; the walk starts at the symptom and at
    surprising series, and may stay where the surprise is. Without a graph, ridge Granger learns
    one. It can be no better than that graph.
    """

    damping: float = 0.85
    """Probability of walking on instead of starting again."""

    about = About(
        name="page_rank",
        family=Family.RANKING,
        question="Where do the causal paths from the symptom gather?",
        paper="Lin et al. 2024, RUN, AAAI; Page et al. 1999, personalised and on reversed edges",
        needs=frozenset({Need.GRAPH, Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def __post_init__(self) -> None:
        if not 0 <= self.damping < 1:
            raise InvalidParameters(f"damping is {self.damping}; it must lie in [0, 1)")

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        surprise = observed(case.window, onset_of(case))[1]
        graph = graph_of(case, surprise)
        place = {series: k for k, series in enumerate(case.window.series)}
        columns = [place[series] for series in graph.series]
        start = columns.index(case.symptom) if case.symptom in columns else None
        found = np.zeros(len(surprise))
        found[columns] = pagerank(graph.matrix(), surprise[columns], start, self.damping)
        return found
