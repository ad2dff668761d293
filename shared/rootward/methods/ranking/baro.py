"""BARO's RobustScorer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.numerics import scores


@dataclass(frozen=True, kw_only=True)
class Baro(RankingMethod):
    """Ranks by the largest rise over the median, in interquartile ranges.

    As published: a fall does not count, and a series that was constant before is dropped. It
    bears an onset that is minutes off better than most.
    """

    about = About(
        name="baro",
        family=Family.RANKING,
        question="Which series rose furthest above its median?",
        paper="Pham, Ha, Zhang 2024, BARO, FSE, doi 10.1145/3660805",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return scores.baro(*before_and_after(case))
