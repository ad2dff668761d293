"""PC: edges that no small set of other series explains away, oriented where the data can."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rootward.errors import InvalidParameters
from rootward.methods.base import About, Cost, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import baseline
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.numerics.independence import correlations
from rootward.numerics.skeleton import FisherZ, oriented, skeleton

_LEAST_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class PC(DiscoveryMethod):
    """Draws an edge wherever no small set of other series makes two series independent.

    It compares values of the same row, so lags of a row and more are not seen; memory of the
    series makes it find too much. Edges that the data cannot orient point both ways.
    """

    significance: float = 0.05
    """P-value of Fisher's z up to which two series count as dependent."""
    most_conditions: int = 2
    """Largest set of series that is held fixed."""
    most_neighbours: int = 10
    """Most correlated neighbours of a series from which those sets are drawn."""

    about = About(
        name="pc",
        family=Family.DISCOVERY,
        question="Which series move together whatever else is held fixed?",
        paper="Spirtes, Glymour, Scheines 2000, Causation, Prediction, and Search; "
        "Colombo and Maathuis 2014, JMLR 15, stable variant; Meek 1995, UAI, orientation",
        cost=Cost.INSTANT,
    )

    def __post_init__(self) -> None:
        if not 0 < self.significance < 1:
            raise InvalidParameters(f"significance is {self.significance}; it lies in (0, 1)")
        if self.most_conditions < 0 or self.most_neighbours < 1:
            raise InvalidParameters("most_conditions is at least 0, most_neighbours at least 1")

    def discover(self, window: Window, seed: int) -> CausalGraph:
        rows = baseline(window)
        rows.require(_LEAST_ROWS, 0)
        found = skeleton(
            FisherZ(correlations(rows.values), len(rows.values)),
            significance=self.significance,
            most_conditions=self.most_conditions,
            most_neighbours=self.most_neighbours,
        )
        series = [window.series[column] for column in rows.columns]
        edges = tuple(
            Edge(series[i], series[j], 0, abs(weight := float(found.weakest[i, j])), _sign(weight))
            for i, j in np.argwhere(oriented(found)).tolist()
        )
        return CausalGraph(window.series, edges)

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)


def _sign(value: float) -> int:
    return int(np.sign(value))
