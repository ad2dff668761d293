"""RUN as it was released, as far as it runs; for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import networkx as nx
import numpy as np
import torch
from jaxtyping import Float

from rootward.methods.base import About, Cost, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import baseline
from rootward.methods.discovery.run_faithful.model import CONTEXT, attention
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.numerics.pace import GoOn, always
from rootward.numerics.regression import lagged_design
from rootward.numerics.training import generator

LEAST_SAMPLES = 40
FEW = 5
"""Up to so many series an edge is what ends with more attention than it began with."""


def attended(looks: Float[np.ndarray, " series"]) -> list[int]:
    """The causes of one target: those before the largest gap, the rule of TCDF.

    Gaps are looked at from the largest value down to 1; the largest that lies in the upper half
    and not at the very top counts. Without one the first alone is kept.
    """
    order = np.argsort(-looks, kind="stable")
    if len(looks) <= FEW:
        return [int(k) for k in order if looks[k] > 1]
    ordered = looks[order]
    gaps = ordered[:-1][ordered[:-1] >= 1] - ordered[1:][ordered[:-1] >= 1]
    for place in np.argsort(-gaps, kind="stable").tolist():
        if 0 < place < (len(looks) - 1) / 2:
            return [int(k) for k in order[: place + 1]]
    return [int(order[0])]


def without_circles(
    pairs: list[tuple[int, int]], likeness: Float[np.ndarray, "series series"]
) -> list[tuple[int, int]]:
    """Edges left when those of the smallest signed correlation are taken out until none circles.

    Only edges that lie on a circle are taken; the release takes others on the way as well.
    """
    graph: nx.DiGraph[int] = nx.DiGraph(pairs)
    while True:
        part = {k: n for n, c in enumerate(nx.strongly_connected_components(graph)) for k in c}
        on_circle = [(i, j) for i, j in graph.edges if part[i] == part[j]]
        if not on_circle:
            return sorted(graph.edges)
        graph.remove_edge(*min(on_circle, key=lambda pair: (likeness[pair], pair)))


@dataclass(frozen=True, kw_only=True)
class RunFaithful(DiscoveryMethod):
    """RUN's attention as released in 2024, defects and all. For comparison: do not decide by it.

    Kept, because it is what was published: the moving average runs over neighbouring series
    instead of time; the two views of the contrastive stage are one and the same; its loss cuts
    the hidden axis and holds no positives against negatives; the forecast is linear; attention
    bears no penalty, so that other weights take up its scale; edges are cut at the largest gap
    and freed of circles by signed correlation. Edges have no lag (written as 1 row) and no sign.

    Repaired, because nothing came out otherwise: edges of a series to itself are dropped before
    circles are broken (they emptied the graph), a last batch is used where it is the only one
    (214 rows were needed), dead and missing values are handled as by the other methods, and only
    the rows before the incident are learnt from, first three quarters. Not here: its PageRank,
    whose ties counted as hits. The encoder is trained once for all targets, which it never looks
    at, and the optimiser starts anew for the forecast.
    """

    epochs: int = 50
    """Epochs of each of the two stages, as published."""
    every_pair: bool = False
    """Keep the attention of all pairs as weights, to score it against a known graph."""

    about = About(
        name="run_faithful",
        family=Family.DISCOVERY,
        question="What would RUN draw, as its authors released it?",
        paper="Lin, Chang, Wang, Chen, Shih 2024, Root Cause Analysis in Microservice Using "
        "Neural Granger Causal Discovery (RUN), AAAI, arXiv 2402.01140",
        cost=Cost.MINUTES,
    )
    quick: ClassVar[Mapping[str, int]] = {"epochs": 2}

    def discover(self, window: Window, seed: int) -> CausalGraph:
        return self._discover(window, seed, always)

    def learn(self, case: Case) -> CausalGraph:
        """The graph as far as training gets before the deadline."""
        return self._discover(case.window, case.seed, case.go_on)

    def _discover(self, window: Window, seed: int, go_on: GoOn) -> CausalGraph:
        rows = baseline(window)
        train = rows.values[: len(rows.values) * 3 // 4]
        rows.require(LEAST_SAMPLES * 4 // 3, CONTEXT)
        deviation = train.std(axis=0)
        train = (train - train.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        past, present = lagged_design(train, rows.since_gap[: len(train)], CONTEXT)
        x = torch.from_numpy(past[:, :, ::-1].copy()).float()
        y = torch.from_numpy(present).float()
        looks = attention(x, y, self.epochs, generator(seed), go_on=go_on)
        found = np.maximum(looks.double().numpy(), 0.0)
        series = len(rows.columns)
        if self.every_pair:
            pairs = [(i, j) for i in range(series) for j in range(series) if i != j]
        else:
            drawn = [(i, j) for j in range(series) for i in attended(found[:, j]) if i != j]
            pairs = without_circles(drawn, np.corrcoef(rows.values.T))
        at = [window.series[column] for column in rows.columns]
        edges = tuple(Edge(at[i], at[j], 1, float(found[i, j])) for i, j in pairs)
        return CausalGraph(window.series, edges)

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)
