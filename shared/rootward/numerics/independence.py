"""Tests of independence, many at once: partial correlation, and Granger's F of single pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

_RIDGE = 1e-6
"""Added to unit variances, so that equal series can be conditioned on."""


def correlations(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, "series series"]:
    """Pearson's; 0 for a series that does not vary, 1 on the diagonal."""
    centred = values - values.mean(axis=0)
    length = np.sqrt(np.sum(centred**2, axis=0))
    unit = centred / np.where(length > 0, length, 1.0)
    found = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def partial_correlations(
    correlation: Float[np.ndarray, "series series"],
    pair: tuple[int, int],
    given: Int[np.ndarray, "tests conditions"],
) -> Float[np.ndarray, " tests"]:
    """Correlation of two series when those of each line of `given` are held fixed."""
    at = np.column_stack([np.tile(np.array(pair), (len(given), 1)), given])
    parts = correlation[at[:, :, None], at[:, None, :]] + _RIDGE * np.eye(at.shape[1])
    inverse = np.linalg.inv(parts)
    scale = np.sqrt(inverse[:, 0, 0] * inverse[:, 1, 1])
    return np.clip(-inverse[:, 0, 1] / scale, -1.0, 1.0)


def correlation_p(
    r: Float[np.ndarray, "*shape"],
    samples: float | int | Float[np.ndarray, "*shape"],
    conditions: int,
) -> Float[np.ndarray, "*shape"]:
    """Two-sided p-value of a (partial) correlation by Fisher's z; rows taken as independent."""
    freedom = np.maximum(samples - conditions - 3.0, 1.0)
    z = np.sqrt(freedom) * np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))
    return np.asarray(2 * stats.norm.sf(np.abs(z)))


def pairwise_granger(
    past: Float[np.ndarray, "samples series lags"], present: Float[np.ndarray, "samples series"]
) -> tuple[Float[np.ndarray, "series series"], Float[np.ndarray, "series series"]]:
    """Strength and p-value, (cause, effect), of one series' past beside the effect's own past.

    Strength is the share of what the own past leaves over that the cause's past explains. No
    third series is looked at, so that a common cause makes an edge (Granger 1969, two series).
    The diagonal has strength 0 and p-value 1.
    """
    samples, series, lags = past.shape
    freedom = max(samples - 2 * lags - 1, 1)
    strength, p = np.zeros((series, series)), np.ones((series, series))
    for effect in range(series):
        own = np.column_stack([np.ones(samples), past[:, effect]])
        basis = np.linalg.qr(own)[0]
        left = present[:, effect] - basis @ (basis.T @ present[:, effect])
        inputs = past - np.tensordot(basis, np.tensordot(basis, past, (0, 0)), (1, 0))
        gram = np.einsum("nsl,nsm->slm", inputs, inputs, optimize=True)
        gram += _RIDGE * samples * np.eye(lags)
        cross = np.einsum("nsl,n->sl", inputs, left, optimize=True)
        gain = np.einsum("sl,sl->s", cross, np.linalg.solve(gram, cross[:, :, None])[:, :, 0])
        total = max(float(left @ left), 1e-12 * samples)
        share = np.clip(gain / total, 0.0, 1 - 1e-12)
        share[effect] = 0.0
        strength[:, effect] = share
        p[:, effect] = stats.f.sf(share / lags / ((1 - share) / freedom), lags, freedom)
    return strength, p
