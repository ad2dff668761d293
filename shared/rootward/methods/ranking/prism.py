"""PRISM: internal and external deviations of a service, added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import before_and_after
from rootward.model.case import Case
from rootward.model.traits import traits
from rootward.numerics.scores import largest, n_sigma, prism


@dataclass(frozen=True, kw_only=True)
class Prism(RankingMethod):
    """Ranks services by S_I + S_E - log(1 + S_I + S_E).

    S_I is the largest n-sigma score of what only the service sees (CPU, memory, queues), S_E of
    what its callers see (latency, errors, traffic); names of metrics decide which is which.
    """

    about = About(
        name="prism",
        family=Family.RANKING,
        question="Which service is off both inside and outside?",
        paper="Pham 2026, PRISM, arXiv 2601.21359",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return n_sigma(*before_and_after(case))

    def service_scores(self, case: Case) -> dict[str, float]:
        values, names = self.scores(case), traits(case.window.series)
        found = {}
        for k, service in enumerate(names.services):
            own = names.owners == k
            inside = largest(values, own & ~names.external)
            found[service] = prism(inside, largest(values, own & names.external))
        return found
