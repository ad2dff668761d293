"""What a series' memory does to a test: autoregressions, whitened rows, effective samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.regression import lagged_design

MOST_LAGS = 5
"""Longest autoregression tried."""
_RIDGE = 1e-8
_FEWEST_ROWS = 3 * MOST_LAGS
_FAINT = 0.1
"""Autocorrelation from which on a series counts as having forgotten."""


@dataclass(frozen=True, eq=False)
class Whitened:
    """Innovations of an autoregression of each series, its order by BIC, and what was taken out."""

    innovations: Float[np.ndarray, "samples series"]
    rows: Int[np.ndarray, " samples"]
    """Row of the input that each sample is the innovation of."""
    effective_share: Float[np.ndarray, " series"]
    """Independent samples per row, at most 1: the long-run variance against the variance."""


def whitened(
    values: Float[np.ndarray, "rows series"],
    since_gap: Int[np.ndarray, " rows"] | None = None,
    most_lags: int = MOST_LAGS,
) -> Whitened:
    """Each series without what its own past foretells, over rows with `most_lags` before them.

    The order is chosen by BIC from 0 to `most_lags` for each series by itself. With weights a
    and innovations of variance s², the effective share is `var (1 - sum a)² / s²`, which is
    `(1 - r) / (1 + r)` for an autoregression of one lag (Bartlett 1946). Too few rows for a fit:
    all rows as they are, with a share of 1.
    """
    since = np.arange(len(values)) if since_gap is None else since_gap
    rows = np.flatnonzero(since >= most_lags)
    if len(rows) < _FEWEST_ROWS:
        every = np.arange(len(values))
        return Whitened(values - values.mean(axis=0), every, np.ones(values.shape[1]))
    past, present = lagged_design(values, since, most_lags)
    x = np.moveaxis(past - past.mean(axis=0), 1, 0)
    y = (present - present.mean(axis=0)).T
    gram, cross = x.transpose(0, 2, 1) @ x, (x.transpose(0, 2, 1) @ y[:, :, None])[:, :, 0]
    total = np.maximum((y**2).sum(axis=1), 1e-300)
    weights, left = np.zeros((values.shape[1], most_lags)), total
    best = len(rows) * np.log(total)
    for order in range(1, most_lags + 1):
        found = _autoregression(gram[:, :order, :order], cross[:, :order])
        error = np.maximum(total - (found * cross[:, :order]).sum(axis=1), 1e-12 * total)
        score = len(rows) * np.log(error) + order * np.log(len(rows))
        better = score < best
        weights[better], left = 0.0, np.where(better, error, left)
        weights[better, :order], best = found[better], np.where(better, score, best)
    share = total / left * (1 - weights.sum(axis=1)) ** 2
    innovations = (y - (x @ weights[:, :, None])[:, :, 0]).T
    return Whitened(innovations, rows, np.clip(share, 1 / len(values), 1.0))


def _autoregression(
    gram: Float[np.ndarray, "series lags lags"], cross: Float[np.ndarray, "series lags"]
) -> Float[np.ndarray, "series lags"]:
    scale = np.maximum(np.trace(gram, axis1=1, axis2=2), 1e-300)
    penalty = _RIDGE * scale[:, None, None] * np.eye(gram.shape[1])
    return np.asarray(np.linalg.solve(gram + penalty, cross[:, :, None])[:, :, 0])


def autocorrelations(
    values: Float[np.ndarray, "rows series"],
    seen: Bool[np.ndarray, "rows series"],
    most_lags: int,
) -> Float[np.ndarray, "lags series"]:
    """Correlation of each series with itself 1 to `most_lags` rows later, over what was seen.

    From the first lag on that is fainter than 0.1 it is 0: the rest is noise.
    """
    count = np.maximum(seen.sum(axis=0), 1)
    centred = np.where(seen, values - np.where(seen, values, 0.0).sum(axis=0) / count, 0.0)
    variance = np.maximum((centred**2).sum(axis=0) / count, 1e-300)
    found = np.zeros((most_lags, values.shape[1]))
    for lag in range(1, min(most_lags, len(values) - 1) + 1):
        both = np.maximum((seen[lag:] & seen[:-lag]).sum(axis=0), 1)
        found[lag - 1] = (centred[lag:] * centred[:-lag]).sum(axis=0) / both / variance
    faint = np.maximum.accumulate(np.abs(found) < _FAINT, axis=0)
    return np.where(faint, 0.0, np.clip(found, -1.0, 1.0))


def pair_shares(
    autocorrelation: Float[np.ndarray, "lags series"],
) -> Float[np.ndarray, "series series"]:
    """Independent samples per row when two series are compared: `1 / (1 + 2 sum r_i r_j)`.

    Bartlett 1946; at most 1, so that series that swing do not gain by it.
    """
    together = 1 + 2 * autocorrelation.T @ autocorrelation
    return np.asarray(1 / np.maximum(together, 1.0))
