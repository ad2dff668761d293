"""Alert counting: the service with the most series out of their three-sigma band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.numerics import scores


@dataclass(frozen=True, kw_only=True)
class AlertCount(RankingMethod):
    """Counts, for each service, the series that leave three standard deviations.

    Many ties, and services with many series win; still hard to beat where a fault moves
    everything that its service measures.
    """

    about = About(
        name="alert_count",
        family=Family.RANKING,
        question="Which service has the most series out of bounds?",
        paper="Baseline; Hu et al. 2026, arXiv 2606.29159, for its strength",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return scores.alerts(*before_and_after(case))

    def service_scores(self, case: Case) -> dict[str, float]:
        counts = dict.fromkeys(case.window.services, 0.0)
        for series, alert in zip(case.window.series, self.scores(case), strict=True):
            counts[series.service] += float(alert)
        return counts
