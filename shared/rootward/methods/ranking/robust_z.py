"""Robust z-score: the largest deviation in interquartile ranges of the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.numerics import scores


@dataclass(frozen=True, kw_only=True)
class RobustZ(RankingMethod):
    """Ranks by the largest deviation from the median, in interquartile ranges, both sides.

    Earlier faults hardly move it. A series whose middle half was constant is scaled by its
    standard deviation, one that never varied by a hundredth of its level.
    """

    about = About(
        name="robust_z",
        family=Family.RANKING,
        question="Which series went furthest from its median?",
        paper="Baseline; Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return scores.robust_z(*before_and_after(case))
