"""N-sigma: the largest deviation in standard deviations of the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.numerics import scores


@dataclass(frozen=True, kw_only=True)
class NSigma(RankingMethod):
    """Ranks by the largest deviation from the mean, in standard deviations before the onset.

    An earlier fault in the baseline widens the deviation and hides the next one; a series that
    was constant before is left out. Use it as the plainest of baselines.
    """

    about = About(
        name="n_sigma",
        family=Family.RANKING,
        question="Which series went furthest from its mean?",
        paper="Shan et al. 2019, e-Diagnosis, WWW; scaled as in Pham et al. 2024, RCAEval",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return scores.n_sigma(*before_and_after(case))
