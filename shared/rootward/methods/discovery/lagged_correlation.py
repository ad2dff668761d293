"""Lagged correlation: the baseline that every discovery method must beat."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from rootward.methods.base import About, Cost, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import baseline
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.numerics.regression import lagged_design


def lagged_correlation(
    past: Float[np.ndarray, "samples series lags"], present: Float[np.ndarray, "samples series"]
) -> Float[np.ndarray, "lags series series"]:
    """Correlation of series i, `l + 1` rows before, with series j, at `[l, i, j]`.

    0 where a series is constant.
    """
    now = _standard(present)
    return np.stack([_standard(past[:, :, k]).T @ now for k in range(past.shape[2])])


def _standard(x: Float[np.ndarray, "samples series"]) -> Float[np.ndarray, "samples series"]:
    centred = x - x.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    return np.asarray(centred / np.where(length > 0, length, 1))


@dataclass(frozen=True, kw_only=True)
class LaggedCorrelation(DiscoveryMethod):
    """Draws an edge wherever one series follows another closely.

    It can't tell a cause from a shared cause. Use it to see whether a finer method adds anything.
    """

    max_lag: int = 2
    """Longest lag tried, in rows."""
    threshold: float = 0.8
    """Smallest absolute correlation that counts as an edge."""

    about = About(
        name="lagged_correlation",
        family=Family.DISCOVERY,
        question="Which series move just before which?",
        paper="Baseline; Granger 1969, Econometrica 37(3), for the idea of precedence",
        cost=Cost.INSTANT,
    )

    def discover(self, window: Window, seed: int) -> CausalGraph:
        rows = baseline(window)
        rows.require(10 * self.max_lag, self.max_lag)
        r = lagged_correlation(*lagged_design(rows.values, rows.since_gap, self.max_lag))
        strongest = np.abs(r).argmax(axis=0)
        edges: list[Edge] = []
        for i, j in np.argwhere(np.abs(r).max(axis=0) >= self.threshold):
            if i != j:
                k = strongest[i, j]
                cause, effect = window.series[rows.columns[i]], window.series[rows.columns[j]]
                value = float(r[k, i, j])
                edges.append(Edge(cause, effect, int(k) + 1, abs(value), int(np.sign(value))))
        return CausalGraph(window.series, tuple(edges))

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)
