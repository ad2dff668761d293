"""Asymmetric topology learning: start from the complete graph, drop what acyclicity forces.

A superfluous parent costs variance; a missed one biases its column for ever. So nothing is
removed but to break loops, and first what is safest to lose.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import digamma

NEIGHBOURS = 5


Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From a node's samples and those of its parents: how safe each is to drop; highest goes first."""


def acyclic(
    values: list[np.ndarray],
    means: Float[np.ndarray, " nodes"],
    score: Score,
) -> Bool[np.ndarray, "nodes nodes"]:
    """[p, i]: p is kept as a parent of i; `values[i]`, (samples, nodes), are those of node i's
    column.

    Peng, Zhang, Mitra: while there is a loop, drop the edge of the highest score among those on
    loops and weigh the other parents of its end again.
    """
    nodes = len(means)
    kept = ~np.eye(nodes, dtype=bool)
    scores = np.full((nodes, nodes), -np.inf)
    for i in range(nodes):
        _weigh(scores, kept, i, values[i], means, score)
    while (looped := _on_loops(kept)).any():
        worst = int(np.argmax(np.where(looped, scores, -np.inf)))
        p, i = divmod(worst, nodes)
        kept[p, i] = False
        _weigh(scores, kept, i, values[i], means, score)
    return kept


def _weigh(
    scores: np.ndarray,
    kept: np.ndarray,
    node: int,
    values: np.ndarray,
    means: np.ndarray,
    score: Score,
) -> None:
    parents = np.flatnonzero(kept[:, node])
    scores[:, node] = -np.inf
    if len(parents):
        scores[parents, node] = score(values[:, node] - means[node], values[:, parents])


def _on_loops(kept: Bool[np.ndarray, "nodes nodes"]) -> Bool[np.ndarray, "nodes nodes"]:
    reached = kept | np.eye(len(kept), dtype=bool)
    for _ in range(int(np.ceil(np.log2(max(len(kept), 2))))):
        reached = reached @ reached  # paths of twice the length
    return kept & reached.T


def dependence_score(
    target: Float[np.ndarray, " samples"], inputs: Float[np.ndarray, "samples parents"]
) -> Float[np.ndarray, " parents"]:
    """Mutual information of residual and parent, less ln |weight|.

    A covariate that is no ancestor leaves its mark in the residual (proposition 1); a small
    weight is little to lose.
    """
    weights = np.linalg.lstsq(inputs, target, rcond=None)[0]
    information = mutual_information(target - inputs @ weights, inputs)
    return information - np.log(np.maximum(np.abs(weights), 1e-12))


def power_loss_score(
    target: Float[np.ndarray, " samples"], inputs: Float[np.ndarray, "samples parents"]
) -> Float[np.ndarray, " parents"]:
    """Less the growth of the mean squared error when a parent is left out.

    With weights b and S = (X'X)^-1 the growth is exactly b_p² / S_pp: no second fit.
    """
    gram = inputs.T @ inputs
    inverse = np.linalg.inv(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
    weights = inverse @ (inputs.T @ target)
    return -(weights**2) / np.diagonal(inverse) / len(target)


def mutual_information(
    x: Float[np.ndarray, " samples"], others: Float[np.ndarray, "samples others"]
) -> Float[np.ndarray, " others"]:
    """Mutual information in nats of x with each of the others, each pair by itself, at least 0.

    Kraskov, Stögbauer, Grassberger 2004, first estimator, five neighbours; both axes are put on
    unit deviation first. Time and memory grow with samples².
    """
    samples = len(x)
    near = min(NEIGHBOURS, samples - 1)
    first, second = _distances(x[None]), _distances(others.T)
    reach = np.partition(np.maximum(first, second), near, axis=-1)[..., near, None]
    # The sample itself lies within reach too: that is the + 1 of the formula.
    inside = digamma(np.count_nonzero(first < reach, axis=-1))
    inside += digamma(np.count_nonzero(second < reach, axis=-1))
    return np.maximum(digamma(near) + digamma(samples) - inside.mean(axis=-1), 0.0)


def _distances(lines: np.ndarray) -> Float[np.ndarray, "lines samples samples"]:
    deviation = np.maximum(lines.std(axis=1, keepdims=True), 1e-300)
    unit = (lines - lines.mean(axis=1, keepdims=True)) / deviation
    return np.abs(unit[:, :, None] - unit[:, None, :])
