"""Regression of every series on the past of all series: designs, ridge, exact block tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import eigh


def rows_since_gap(
    times: Float[np.ndarray, " rows"], step_seconds: float
) -> Int[np.ndarray, " rows"]:
    """How many rows lie before each row without a gap of more than one and a half steps."""
    fresh = np.ones(len(times), dtype=bool)
    fresh[1:] = np.diff(times) > 1.5 * step_seconds
    row = np.arange(len(times))
    return row - np.maximum.accumulate(np.where(fresh, row, 0))


def lagged_design(
    values: Float[np.ndarray, "rows series"], since_gap: Int[np.ndarray, " rows"], lags: int
) -> tuple[Float[np.ndarray, "samples series lags"], Float[np.ndarray, "samples series"]]:
    """Pasts and presents: `past[n, i, l]` is series i, `l + 1` rows before `present[n]`.

    Only rows with `lags` uninterrupted rows before them become samples.
    """
    rows = np.flatnonzero(since_gap >= lags)
    past = np.stack([values[rows - lag] for lag in range(1, lags + 1)], axis=2)
    return past, values[rows]


def innovations(
    past: Float[np.ndarray, "samples series lags"], present: Float[np.ndarray, "samples series"]
) -> Float[np.ndarray, "samples series"]:
    """What of each series its own past does not foretell: residuals of one autoregression each."""
    x = past - past.mean(axis=0)
    y = present - present.mean(axis=0)
    gram = np.einsum("nsl,nsm->slm", x, x, optimize=True)
    gram += 1e-6 * len(x) * np.eye(x.shape[2])
    weights = np.linalg.solve(gram, np.einsum("nsl,ns->sl", x, y)[:, :, None])[:, :, 0]
    return np.asarray(y - np.einsum("nsl,sl->ns", x, weights))


@dataclass(frozen=True, eq=False)
class Ridge:
    """`y = x @ weights`, penalised by `penalty * |weights|²`, with what tests of it need."""

    weights: Float[np.ndarray, "inputs outputs"]
    inverse: Float[np.ndarray, "inputs inputs"]
    """(x'x + penalty I)^-1."""
    residuals: Float[np.ndarray, "samples outputs"]
    penalty: float
    degrees: float
    """Effective number of weights: the trace of the hat matrix."""


def ridge(x: Float[np.ndarray, "samples inputs"], y: Float[np.ndarray, "samples outputs"]) -> Ridge:
    """The fit whose one penalty for all outputs minimises generalised cross-validation.

    Columns are taken as centred and of like scale. Golub, Heath, Wahba 1979.
    """
    samples = len(x)
    spectrum, basis = eigh(x.T @ x, check_finite=False)
    spectrum = np.maximum(spectrum, 0)
    turned = basis.T @ (x.T @ y)
    total = np.sum(y**2, axis=0)
    penalties = samples * np.logspace(-5, -1, 9)
    penalty = min(penalties, key=lambda p: _gcv(spectrum, turned, total, samples, float(p)))
    shrunk = 1 / (spectrum + penalty)
    weights = basis @ (turned * shrunk[:, None])
    return Ridge(
        weights=weights,
        inverse=(basis * shrunk) @ basis.T,
        residuals=y - x @ weights,
        penalty=float(penalty),
        degrees=float(np.sum(spectrum * shrunk)),
    )


def _gcv(
    spectrum: np.ndarray, turned: np.ndarray, total: np.ndarray, samples: int, penalty: float
) -> float:
    kept = 1 / (spectrum + penalty)
    rss = total - ((2 * kept - spectrum * kept**2)[:, None] * turned**2).sum(axis=0)
    freedom = samples - np.sum(spectrum * kept)
    if freedom < 0.05 * samples:
        return np.inf
    return float(np.mean(np.log(np.maximum(rss, 1e-12 * total + 1e-300)))) - 2 * np.log(freedom)


def block_losses(
    weights: Float[np.ndarray, "inputs outputs"],
    inverse: Float[np.ndarray, "inputs inputs"],
    blocks: int,
) -> Float[np.ndarray, "blocks outputs"]:
    """How much each output's penalised squared error grows when one block of inputs is dropped.

    Inputs come in `blocks` blocks of equal size; with b the block's weights and S the inverse,
    the growth is exactly b' S_bb^-1 b: one inverse answers for all pairs.
    """
    size = len(weights) // blocks
    b = weights.reshape(blocks, size, -1)
    at = np.arange(blocks)
    own = inverse.reshape(blocks, size, blocks, size)[at, :, at, :]
    solved = np.linalg.solve(own, b)
    return np.asarray(np.einsum("bso,bso->bo", b, solved))


def false_discovery_control(
    p: Float[np.ndarray, " tests"], rate: float
) -> Bool[np.ndarray, " tests"]:
    """Which tests to call true so that at most a share `rate` of them is false on average.

    Benjamini and Hochberg 1995.
    """
    order = np.argsort(p)
    passes = p[order] <= rate * np.arange(1, len(p) + 1) / max(len(p), 1)
    count = int(np.flatnonzero(passes)[-1]) + 1 if passes.any() else 0
    chosen = np.zeros(len(p), dtype=bool)
    chosen[order[:count]] = True
    return chosen
