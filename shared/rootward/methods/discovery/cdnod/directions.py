"""Phases 3 and 4 of CD-NOD: which way an edge points by independent change, and what drove it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import eigh

from rootward.numerics.kernels import (
    centred,
    gaussian_gram,
    gram_of_distances,
    hsic_p,
    normalised_hsic,
)
from rootward.numerics.skeleton import meek

SIGNIFICANCE = 0.05
LEAST_WINDOWS = 10
LEAST_ROWS = 10
"""Rows of a window that its mechanism can be fitted on."""
_WINDOW_RIDGE = 0.1
_KERNEL_RIDGE = 2.0
"""The authors' lambda."""
_TIME_WIDTH = 0.1
"""Share of the recording over which a mechanism counts as one."""
MOST_POINTS = 200


@dataclass(frozen=True)
class Coupling:
    """How far the changes of causes and those of the mechanism go together."""

    dependence: float
    """Normalised HSIC, 0 to 1."""
    p: float
    """By permutation of the windows."""


@dataclass(frozen=True)
class Direction:
    """Evidence on one edge between two variables that both changed."""

    cause: int
    effect: int
    forward: Coupling
    """With the cause as the cause: the smaller dependence."""
    backward: Coupling

    @property
    def decided(self) -> bool:
        """The changes are independent one way and not the other way."""
        return self.forward.p >= SIGNIFICANCE > self.backward.p


def coupling(
    values: Float[np.ndarray, "rows variables"],
    windows: Int[np.ndarray, " rows"],
    causes: Sequence[int],
    effect: int,
    rng: np.random.Generator,
) -> Coupling:
    """Dependence between how the causes change and how the effect's mechanism changes.

    In each window: mean and log variance of each cause; intercept, slopes and log residual
    variance of the effect given them (ridge). In the true direction the two clouds of
    parameters are independent over the windows (Huang et al. 2020, section 4.2, principle of
    independent changes; parameters of windows instead of kernel embeddings are ours).
    """
    given, mechanism = [], []
    for window in np.unique(windows):
        rows = values[windows == window]
        given.append(_marginal(rows[:, list(causes)]))
        mechanism.append(_conditional(rows[:, list(causes)], rows[:, effect]))
    one, other = (gaussian_gram(_comparable(np.array(p))) for p in (given, mechanism))
    return Coupling(normalised_hsic(one, other), hsic_p(one, other, rng))


def direction(
    values: Float[np.ndarray, "rows variables"],
    windows: Int[np.ndarray, " rows"],
    pair: tuple[int, int],
    rng: np.random.Generator,
) -> Direction:
    """Which of two linked variables drives the other: the way with less dependence."""
    one, other = pair
    there = coupling(values, windows, (one,), other, rng)
    back = coupling(values, windows, (other,), one, rng)
    if there.dependence <= back.dependence:
        return Direction(one, other, there, back)
    return Direction(other, one, back, there)


def directed_by_change(
    values: Float[np.ndarray, "rows variables"],
    windows: Int[np.ndarray, " rows"],
    changed: Bool[np.ndarray, " variables"],
    arrows: Bool[np.ndarray, "variables variables"],
    rng: np.random.Generator,
) -> tuple[Bool[np.ndarray, "variables variables"], tuple[Direction, ...]]:
    """The arrows with open edges between changed variables directed where the data decide.

    The variable whose mechanism is least coupled to its neighbours is the sink of what is left;
    its edges point inwards, it is taken out, and so on; then Meek's rules. An edge whose two
    directions look alike stays open. Also returns the evidence on each edge.
    """
    arrows = arrows.copy()
    both = arrows & arrows.T & changed & changed[:, None]
    evidence: list[Direction] = []
    while both.any():
        open_nodes = np.flatnonzero(both.any(axis=0)).tolist()
        sink = min(
            open_nodes, key=lambda k: _as_sink(values, windows, arrows, both, k, rng).dependence
        )
        for neighbour in np.flatnonzero(both[sink]).tolist():
            found = direction(values, windows, (neighbour, sink), rng)
            evidence.append(found)
            if found.decided:
                arrows[found.effect, found.cause] = False
        both[sink], both[:, sink] = False, False
    return meek(arrows), tuple(evidence)


def _as_sink(
    values: np.ndarray,
    windows: np.ndarray,
    arrows: np.ndarray,
    both: np.ndarray,
    node: int,
    rng: np.random.Generator,
) -> Coupling:
    parents = (arrows[:, node] & ~arrows[node]) | both[:, node]
    return coupling(values, windows, np.flatnonzero(parents).tolist(), node, rng)


def _marginal(causes: Float[np.ndarray, "rows causes"]) -> Float[np.ndarray, " parameters"]:
    return np.concatenate((causes.mean(axis=0), np.log(causes.var(axis=0) + 1e-9)))


def _conditional(
    causes: Float[np.ndarray, "rows causes"], effect: Float[np.ndarray, " rows"]
) -> Float[np.ndarray, " parameters"]:
    x = np.column_stack((np.ones(len(causes)), causes))
    penalty = _WINDOW_RIDGE * np.diag([0.0, *np.ones(causes.shape[1])])
    weights = np.linalg.solve(x.T @ x + penalty, x.T @ effect)
    left = effect - x @ weights
    return np.append(weights, np.log(float((left**2).mean()) + 1e-9))


def _comparable(
    parameters: Float[np.ndarray, "windows parameters"],
) -> Float[np.ndarray, "windows parameters"]:
    deviation = parameters.std(axis=0)
    return (parameters - parameters.mean(axis=0)) / np.where(deviation > 1e-12, deviation, 1.0)


def driving_force(
    effect: Float[np.ndarray, " rows"], causes: Float[np.ndarray, "rows causes"]
) -> Float[np.ndarray, " rows"]:
    """One curve of when and how a mechanism changed: mean 0, deviation 1, positive at the end.

    The first kernel principal component of the embedding of P(effect | causes) at each row
    (Huang et al. 2020, section 5), of P(effect) without causes. Widths of the kernels are fixed:
    medians of the values, a tenth of the recording in time.
    """
    time = np.linspace(0, 1, len(effect))[:, None]
    of_time = gaussian_gram(time, _TIME_WIDTH)
    of_effect = gaussian_gram(_comparable(effect[:, None]))
    if causes.shape[1]:
        of_causes = gaussian_gram(_comparable(causes))
        shrink = np.linalg.inv(of_causes * of_time + _KERNEL_RIDGE * np.eye(len(time)))
        cubed = of_causes @ of_causes @ of_causes
        embedded = of_time @ (cubed * (shrink @ of_effect @ shrink)) @ of_time
    else:
        shrink = np.linalg.inv(of_time + _KERNEL_RIDGE * np.eye(len(time)))
        embedded = of_time @ shrink @ of_effect @ shrink @ of_time
    return _first_component(embedded)


def _first_component(embedded: Float[np.ndarray, "rows rows"]) -> Float[np.ndarray, " rows"]:
    own = np.diagonal(embedded)
    distances = np.maximum(own[:, None] + own - 2 * embedded, 0.0)
    gram = centred(gram_of_distances(distances))
    last = len(gram) - 1
    vector = eigh(gram, subset_by_index=(last, last), check_finite=False)[1][:, 0]
    deviation = vector.std()
    if deviation <= 0:
        return np.zeros(len(vector))
    curve = (vector - vector.mean()) / deviation
    return np.asarray(curve if curve[-max(1, last // 5) :].mean() >= 0 else -curve)
