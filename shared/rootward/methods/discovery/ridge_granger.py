"""Conditional Granger causality of all pairs from one ridge regression, in closed form."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from rootward.methods.base import About, Cost, DiscoveryMethod, Family
from rootward.methods.discovery.baseline import Baseline, baseline
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.numerics.regression import (
    Ridge,
    block_losses,
    false_discovery_control,
    innovations,
    lagged_design,
    ridge,
)


@dataclass(frozen=True, eq=False)
class Granger:
    """What each series adds to the forecast of each other, given all their pasts.

    Matrices are (cause, effect); the diagonal, a series' own past, is not an edge and has
    strength 0 and p-value 1.
    """

    strength: Float[np.ndarray, "series series"]
    """Share of the effect's variance, left over by all other pasts, that the cause explains."""
    p: Float[np.ndarray, "series series"]
    """Of the F-test, widened by the null seen on shifted residuals."""
    lag: Int[np.ndarray, "series series"]
    """Rows from cause to effect at which the weight is largest against its error, at least 1."""
    sign: Int[np.ndarray, "series series"]
    residuals: Float[np.ndarray, "samples series"]
    """What the linear forecast from all pasts leaves over."""


def ridge_granger(
    past: Float[np.ndarray, "samples series lags"],
    present: Float[np.ndarray, "samples series"],
    lags: int,
    rng: np.random.Generator,
) -> Granger:
    """Test every pair at once, over `lags` rows; `past` (as many or more) as from `lagged_design`.

    With S the inverse of the penalised Gram matrix, leaving out the lags of one cause raises
    the squared error of one effect by b' S_bb^-1 b (Granger 1969; Geweke 1984 for conditioning
    on everything else). Each effect is first freed of what its own whole past foretells, so
    that the penalty takes nothing from it. The F-test assumes white residuals and an exact
    model; how far they are from it is measured twice, and F divided by what is found.
    """
    samples, series, _ = past.shape
    x = past[:, :, :lags].reshape(samples, series * lags)
    x = x - x.mean(axis=0)
    fit = ridge(x, innovations(past, present))
    f, strength = _f(fit.weights, fit, series, np.sum(fit.residuals**2, axis=0))
    p = _p_values(f, _shifted(x, fit, series, rng), max(samples - fit.degrees - 1, 1.0))
    lag, sign = _lags_and_signs(fit, series)
    np.fill_diagonal(strength, 0.0)
    np.fill_diagonal(p, 1.0)
    return Granger(strength, p, lag, sign, fit.residuals)


def _f(
    weights: np.ndarray, fit: Ridge, series: int, error: Float[np.ndarray, " outputs"]
) -> tuple[np.ndarray, np.ndarray]:
    lags = len(weights) // series
    growth = block_losses(weights, fit.inverse, series)
    freedom = max(len(fit.residuals) - fit.degrees - 1, 1.0)
    error = np.maximum(error, 1e-12 * len(fit.residuals))
    return growth / lags / (error / freedom), growth / (growth + error)


def _p_values(
    f: Float[np.ndarray, "series series"],
    null: Float[np.ndarray, "tries series series"],
    freedom: float,
) -> Float[np.ndarray, "series series"]:
    """Tail probabilities of F under a scaled F whose mean and spread are those of the null.

    Where even the median pair of an effect exceeds its null, the effect's own mechanism is
    misfitted (a level that wanders, a smoothed series), for most pairs have no edge: its F are
    divided by that excess (Devlin and Roeder 1999, genomic control). Few causes tell little of
    it, so its logarithm is shrunk.
    """
    series = len(f)
    mean = np.asarray(null.mean(axis=(0, 1)))
    shape = np.clip(2 / np.asarray((null / mean).var()), 0.5, 50.0)
    others = np.where(np.eye(series, dtype=bool), np.nan, f / mean)
    excess = np.nanmedian(others, axis=0) / stats.f.median(shape, freedom)
    excess = np.maximum(excess, 1.0) ** (series / (series + 10))
    return np.asarray(stats.f.sf(f / (mean * excess), shape, freedom))


def _shifted(
    x: np.ndarray, fit: Ridge, series: int, rng: np.random.Generator
) -> Float[np.ndarray, "tries series series"]:
    """F of residuals shifted in time against the pasts.

    The shift keeps the memory of both and breaks every true link.
    """
    samples = len(x)
    tries = int(np.clip(400 // series, 4, 20))
    least = min(20, samples // 4)
    found = np.empty((tries, series, series))
    solve = fit.inverse @ x.T
    for k in range(tries):
        shifted = np.roll(fit.residuals, rng.integers(least, samples - least), axis=0)
        weights = solve @ shifted
        rest = np.sum((shifted - x @ weights) ** 2, axis=0)
        found[k] = _f(weights, fit, series, rest)[0]
    return found


def _lags_and_signs(fit: Ridge, series: int) -> tuple[np.ndarray, np.ndarray]:
    error = np.sqrt(np.diag(fit.inverse))
    weights = (fit.weights / error[:, None]).reshape(series, -1, series)
    lag = np.abs(weights).argmax(axis=1)
    strongest = np.take_along_axis(weights, lag[:, None, :], axis=1)[:, 0, :]
    return lag + 1, np.sign(strongest).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class RidgeGranger(DiscoveryMethod):
    """Draws an edge wherever the past of one series improves the forecast of another.

    The forecast already knows the past of all other series, so a common cause that is measured
    makes no edge. It is linear, takes milliseconds, and bears few rows.
    """

    max_lag: int = 3
    """Longest lag in rows; shortened where there are too many series for the rows."""
    own_memory: int = 3
    """Rows of its own past that every forecast has used up before others may add to it."""
    false_discovery_rate: float = 0.1
    """Share of the edges that may be false on average; 1 keeps every pair."""

    about = About(
        name="ridge_granger",
        family=Family.DISCOVERY,
        question="Whose past improves the forecast of which series?",
        paper="Granger 1969, Econometrica 37(3); Geweke 1984, JASA 79(388), conditional feedback",
        cost=Cost.INSTANT,
    )

    def discover(self, window: Window, seed: int) -> CausalGraph:
        rows = baseline(window)
        lags = affordable_lags(rows, self.max_lag)
        memory = max(lags, min(self.own_memory, rows.samples(lags) // 10))
        rows.require(20, memory)
        past, present = lagged_design(rows.values, rows.since_gap, memory)
        found = ridge_granger(past, present, lags, np.random.default_rng(seed))
        return granger_graph(window, rows, found, self.false_discovery_rate)

    def run(self, case: Case) -> Result:
        shown = super().run(case)
        return replace(shown, cautions=shown.cautions + baseline(case.window).cautions)


def affordable_lags(rows: Baseline, longest: int) -> int:
    """As many lags as leave three samples for each weight of a forecast; at least one."""
    lags = longest
    while lags > 1 and 3 * lags * len(rows.columns) > rows.samples(lags):
        lags -= 1
    return lags


def granger_graph(window: Window, rows: Baseline, found: Granger, rate: float) -> CausalGraph:
    """The pairs that pass at a false-discovery rate, as a graph over all series of the window."""
    series = len(rows.columns)
    pairs = np.argwhere(~np.eye(series, dtype=bool))
    p = found.p[pairs[:, 0], pairs[:, 1]]
    edges = tuple(
        Edge(
            cause=window.series[rows.columns[i]],
            effect=window.series[rows.columns[j]],
            lag=int(found.lag[i, j]),
            weight=float(found.strength[i, j]),
            sign=int(found.sign[i, j]),
        )
        for i, j in pairs[false_discovery_control(p, rate)]
    )
    return CausalGraph(window.series, edges)
