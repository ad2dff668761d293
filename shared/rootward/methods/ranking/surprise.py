"""Calibrated surprise: deviations judged by what the same statistic usually reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, Family, Need, RankingMethod
from rootward.methods.ranking.incident import onset_of
from rootward.model.case import Case
from rootward.model.kind import Kind
from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, departures
from rootward.numerics.suspicion import first_rows, promptness, surprise, suspicion, worth


def observed(window: Window, onset: int) -> tuple[Departures, Float[np.ndarray, " series"]]:
    """The departures after the onset, and how surprising each is, less where it came late."""
    names = traits(window.series)
    found = departures(window.values, onset, names.siblings)
    weight = worth(names.load, names.reports, names.elsewhere)
    prompt = promptness(first_rows(found.z, onset), onset, len(window.values))
    return found, surprise(found, names.harm, weight) * prompt


@dataclass(frozen=True, kw_only=True)
class Surprise(RankingMethod):
    """Ranks by how far a series stays from its baseline, against what is usual for it.

    The deviation that a fifth of the rows exceed is compared with what stretches of the same
    length reach before the onset. Series that were constant, earlier faults, few rows and series
    that stop are taken into account; a service's other series add a little to its clearest.
    """

    about = About(
        name="surprise",
        family=Family.RANKING,
        question="Whose change is least like anything before?",
        paper="Own; after Pham et al. 2024 (BARO) and Hu et al. 2026, arXiv 2606.29159",
        needs=frozenset({Need.ONSET}),
        cost=Cost.INSTANT,
    )

    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        return observed(case.window, onset_of(case))[1]

    def service_scores(self, case: Case) -> dict[str, float]:
        names = traits(case.window.series)
        kinds = np.array([list(Kind).index(kind) for kind in names.kinds], dtype=np.int64)
        found = suspicion(self.scores(case), names.owners, kinds, len(names.services))
        return {s: float(v) for s, v in zip(names.services, found, strict=True)}
