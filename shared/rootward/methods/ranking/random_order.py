"""A shuffled order: the floor that every ranking must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, RankingMethod
from rootward.model.case import Case


@dataclass(frozen=True, kw_only=True)
class RandomOrder(RankingMethod):
    """Ranks services in an order that the seed and the times of the window decide, not the values.

    Use it to see what a hit by chance is worth on a system with few services.
    """

    about = About(
        name="random_order",
        family=Family.RANKING,
        question="What would a guess have said?",
        paper="Baseline; the chance floor of Fang et al. 2025, arXiv 2510.04711",
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        drawn = self.service_scores(case)
        return np.array([drawn[series.service] for series in case.window.series])

    def service_scores(self, case: Case) -> dict[str, float]:
        services = case.window.services
        ends = [abs(int(time)) for time in (*case.window.times[:1], *case.window.times[-1:])]
        drawn = np.random.default_rng([case.seed, *ends]).permutation(len(services))
        return {service: float(k) for service, k in zip(services, drawn, strict=True)}
