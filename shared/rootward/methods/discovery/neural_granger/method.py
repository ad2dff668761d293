"""Neural Granger discovery: a common encoder, one sparse network, what switching off costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import stats

from rootward.methods.base import About, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import baseline
from rootward.methods.discovery.neural_granger.encoder import nonlinear_features
from rootward.methods.discovery.neural_granger.model import Found, Shape
from rootward.methods.discovery.neural_granger.parts import fit_in_parts, fit_part
from rootward.methods.discovery.ridge_granger import (
    Granger,
    affordable_lags,
    granger_graph,
    ridge_granger,
)
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.result import Result
from rootward.model.spread import Arrays, Spread, in_turn
from rootward.model.window import Window
from rootward.numerics.pace import GoOn, always
from rootward.numerics.regression import lagged_design

CONTEXT = 6
"""Rows that the encoder sees."""
LEAST_SAMPLES = 40
FEATURE_SCALE = 0.2
"""Deviation of encoder features; values have 1. The smaller, the dearer they are to the lasso."""


def screened(
    linear: Granger, neglected: Float[np.ndarray, "series series"], count: int
) -> Int[np.ndarray, "series candidates"]:
    """For each series itself, then its `count` likeliest causes, linear or not, in column order."""
    promise = linear.strength + neglected
    np.fill_diagonal(promise, np.inf)
    order = np.argsort(-promise, axis=0, kind="stable")[: count + 1].T
    return np.concatenate((order[:, :1], np.sort(order[:, 1:], axis=1)), axis=1)


def neglected_nonlinearity(
    features: Float[np.ndarray, "samples series features"],
    residuals: Float[np.ndarray, "samples series"],
) -> Float[np.ndarray, "series series"]:
    """Share of each series' linear residual that the features of one other series explain.

    Lee, White, Granger 1993: a test for neglected nonlinearity with random hidden units; here
    the units are those of the encoder.
    """
    gram = np.einsum("nid,nie->ide", features, features, optimize=True)
    gram += 1e-2 * len(features) * np.eye(features.shape[2])
    moments = np.einsum("nid,nj->idj", features, residuals, optimize=True)
    explained = np.sum(moments * np.linalg.solve(gram, moments), axis=1)
    return np.asarray(explained / np.maximum(np.sum(residuals**2, axis=0), 1e-12))


def combined(
    linear: Granger, found: Found, candidates: Int[np.ndarray, "series candidates"], lags: int
) -> tuple[Granger, Float[np.ndarray, "series series"]]:
    """One answer of the two stages, and the share of blocks of rows that show each pair.

    A pair passes if either stage shows it (Bonferroni, four fifths of the weight to the linear
    stage, which has more rows to go by); its strength is the mean of both. Pairs that were
    screened out keep half of their linear strength.
    """
    strength, p = linear.strength / 2, np.minimum(1.25 * linear.p, 1.0)
    lag, sign = linear.lag.copy(), linear.sign.copy()
    blocks = np.zeros_like(strength)
    effects = np.arange(len(candidates))[:, None].repeat(candidates.shape[1], axis=1)
    at = (candidates, effects)
    strength[at] += found.share.double().numpy() / 2
    neural_p = _gain_p(found.gain.double().numpy())
    stronger = 5 * neural_p < 1.25 * linear.p[at]
    p[at] = np.minimum(p[at], 5 * neural_p)
    sizes, slopes = found.sizes[:, :, :lags].numpy(), found.slopes[:, :, :lags].numpy()
    longest = sizes.argmax(axis=2)
    size = np.take_along_axis(sizes, longest[:, :, None], axis=2)[:, :, 0]
    slope = np.take_along_axis(slopes, longest[:, :, None], axis=2)[:, :, 0]
    bent = np.where(np.abs(slope) > 0.2 * size, np.sign(slope), 0).astype(np.int64)
    lag[at] = np.where(stronger, longest + 1, lag[at])
    sign[at] = np.where(stronger, bent, sign[at])
    blocks[at] = found.blocks.double().numpy()
    np.fill_diagonal(strength, 0.0)
    np.fill_diagonal(p, 1.0)
    return replace(linear, strength=strength, p=np.minimum(p, 1.0), lag=lag, sign=sign), blocks


def _gain_p(gain: Float[np.ndarray, "held_out targets candidates"]) -> np.ndarray:
    """Chance of such a mean saving where there is none, with a memory of three rows allowed.

    Diebold and Mariano 1995, with the variance of Newey and West 1987.
    """
    rows = len(gain)
    mean = gain.mean(axis=0)
    rest = gain - mean
    variance = np.mean(rest**2, axis=0)
    for k in range(1, min(4, rows)):
        variance += 2 * (1 - k / 4) * np.sum(rest[k:] * rest[:-k], axis=0) / rows
    error = np.sqrt(np.maximum(variance, 1e-12) / rows)
    return np.asarray(stats.t.sf(mean / error, max(rows / 2, 2)))


@dataclass(frozen=True, kw_only=True)
class NeuralGranger(DiscoveryMethod):
    """Draws an edge wherever a sparse neural forecast needs the past of another series.

    RUN put right: trend and rest are separated over time; the encoder is trained once, on views
    that differ, and serves all series; the forecast bends; a series' own past is always used and
    never an edge; weights are removed by proximal steps instead of weighed by free attention.
    A linear stage screens the pairs and counts beside the network.
    """

    max_lag: int = 3
    """Longest lag in rows."""
    false_discovery_rate: float = 0.1
    """Share of the edges that may be false on average; 1 keeps every pair."""
    candidates: int = 12
    """Causes per series that reach the network where there are more than twenty series."""
    hidden: int = 16
    """Hidden units per series."""
    features: int = 4
    """Nonlinear features per series from the encoder."""
    penalty: float = 0.03
    """Strength of the group lasso, per unit of variance."""
    density: float = 1.0
    """Share of the weights to hidden units; under 1 they are sparse from the first step on."""
    steps: int = 300
    """Training steps at most; fewer for wide systems."""
    patience: int = 150
    """Steps without a better forecast of the held-out rows after which training ends."""
    device: str = "cpu"
    """Where the network is trained, as torch names it."""

    about = About(
        name="neural_granger",
        family=Family.DISCOVERY,
        question="Which series drive which, even where the effect is not a straight line?",
        paper="Lin, Chang, Wang, Chen, Shih 2024, Root Cause Analysis in Microservice Using "
        "Neural Granger Causal Discovery (RUN), AAAI, arXiv 2402.01140; sparsity after Tank, "
        "Covert, Foti, Shojaie, Fox 2021, Neural Granger Causality, IEEE TPAMI",
    )

    quick: ClassVar[Mapping[str, int]] = {"steps": 60}

    @staticmethod
    def part(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
        return fit_part(shared, number, go_on)

    def discover(self, window: Window, seed: int) -> CausalGraph:
        return self._discover(window, seed, always, in_turn)

    def learn(self, case: Case) -> CausalGraph:
        """The graph as far as training gets before the deadline; wide systems in parts."""
        return self._discover(case.window, case.seed, case.go_on, case.spread)

    def _discover(self, window: Window, seed: int, go_on: GoOn, spread: Spread) -> CausalGraph:
        rows = baseline(window)
        context = max(CONTEXT, self.max_lag)
        rows.require(LEAST_SAMPLES, context)
        past, present = lagged_design(rows.values, rows.since_gap, context)
        lags = affordable_lags(rows, self.max_lag)
        linear = ridge_granger(past[:, :, : self.max_lag], present, lags, _random(seed))
        asked = (seed, go_on, spread)
        found, candidates = self._network(past, present, linear, asked)
        answer, blocks = combined(linear, found, candidates, self.max_lag)
        graph = granger_graph(window, rows, answer, self.false_discovery_rate)
        position = {window.series[c]: k for k, c in enumerate(rows.columns)}
        edges = tuple(
            replace(e, confidence=float(blocks[position[e.cause], position[e.effect]]))
            for e in graph.edges
        )
        return CausalGraph(graph.series, edges)

    def _network(
        self,
        past: Float[np.ndarray, "samples series lags"],
        present: Float[np.ndarray, "samples series"],
        linear: Granger,
        asked: tuple[int, GoOn, Spread],
    ) -> tuple[Found, Int[np.ndarray, "series candidates"]]:
        seed, go_on, spread = asked
        values = torch.from_numpy(past.astype(np.float32))
        features = nonlinear_features(values, self.max_lag, self.features, seed)
        neglected = neglected_nonlinearity(features.double().numpy(), linear.residuals)
        series = past.shape[1]
        count = series - 1 if series <= 20 else min(self.candidates, series - 1)
        candidates = screened(linear, neglected, count)
        inputs = torch.cat((values[:, :, : self.max_lag], FEATURE_SCALE * features), dim=2)
        found = fit_in_parts(
            inputs.numpy(),
            present.astype(np.float32),
            candidates,
            Shape(self.hidden, self.penalty, self.steps, self.patience, self.density),
            seed=seed,
            device=self.device,
            go_on=go_on,
            spread=spread,
        )
        return found, candidates

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)


def _random(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)
