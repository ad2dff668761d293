"""The causal graph that a ranking walks: the one given, or one learnt on the series that count."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.numerics.anomaly import mean_and_deviation

SCREENED = 40
"""Most series that a graph is learnt on."""


def graph_of(case: Case, surprise: Float[np.ndarray, " series"]) -> CausalGraph:
    """`case.graph`, or ridge Granger's graph of the most surprising series that varied before.

    Raises:
        InsufficientData: there is no graph, and too little to learn one from.
    """
    if case.graph is not None:
        return case.graph
    window = case.window
    usable = np.flatnonzero(mean_and_deviation(window.baseline)[1] > 0).tolist()
    order = sorted(usable, key=lambda c: (c != case.symptom, -surprise[c], window.series[c]))
    chosen = sorted(order[:SCREENED], key=lambda c: window.series[c])
    return RidgeGranger().discover(window.select(chosen), case.seed)
