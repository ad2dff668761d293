"""The published scores of how far a series left its baseline, each as its authors give it.

They are baselines to be beaten, with their known weaknesses left as published. All take the
rows before and after the onset, and give 0 to a series that cannot be scored.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from rootward.numerics.anomaly import extremes, mean_and_deviation, measured, median, quantiles

_BAND = 3.0 * (1 + 1e-9)
"""Deviations of an alert. One spike in ten rows stands at 3 exactly: rounding must not decide."""


def n_sigma(
    before: Float[np.ndarray, "before series"], after: Float[np.ndarray, "after series"]
) -> Float[np.ndarray, " series"]:
    """max |x - mean| / standard deviation (Shan et al. 2019, as in RCAEval).

    As published, a series that was constant before the onset is left out.
    """
    mean, deviation = mean_and_deviation(before)
    return _ratio(np.nan_to_num(extremes(np.abs(measured(after) - mean))[1]), deviation)


def robust_z(
    before: Float[np.ndarray, "before series"], after: Float[np.ndarray, "after series"]
) -> Float[np.ndarray, " series"]:
    """max |x - median| / interquartile range.

    How a constant series is scaled decides where this ranking wins, so it is said: a range of 0
    is replaced by the standard deviation, that by a hundredth of the level, that by 1e-9.
    """
    low, high = quantiles(before, (0.25, 0.75))
    level = np.nan_to_num(median(before))
    deviation = np.nan_to_num(mean_and_deviation(before)[1])
    spread = np.nan_to_num(high - low)
    for coarser in (deviation, 0.01 * np.abs(level), np.full_like(level, 1e-9)):
        spread = np.where(spread > 0, spread, coarser)
    return _ratio(np.nan_to_num(extremes(np.abs(measured(after) - median(before)))[1]), spread)


def baro(
    before: Float[np.ndarray, "before series"], after: Float[np.ndarray, "after series"]
) -> Float[np.ndarray, " series"]:
    """max (x - median) / interquartile range (BARO's RobustScorer, Pham et al., FSE 2024).

    As published: only rises count, series that were constant before are dropped, and a range
    of 0 is taken as 1.
    """
    low, high = quantiles(before, (0.25, 0.75))
    spread = np.nan_to_num(high - low)
    peak = np.nan_to_num(extremes(measured(after) - median(before))[1])
    varied = mean_and_deviation(before)[1] > 0
    scores = _ratio(np.maximum(peak, 0.0), np.where(spread > 0, spread, 1.0))
    return np.where(varied, scores, 0.0)


def alerts(
    before: Float[np.ndarray, "before series"], after: Float[np.ndarray, "after series"]
) -> Float[np.ndarray, " series"]:
    """1 for a series that leaves its three-sigma band, else 0; services are ranked by the sum."""
    return (n_sigma(before, after) > _BAND).astype(np.float64)


def prism(internal: float, external: float) -> float:
    """S_I + S_E - log(1 + S_I + S_E) of a service (PRISM, Pham 2026, additive form).

    S_I and S_E are the largest n-sigma scores of its internal and of its external metrics.
    """
    return internal + external - float(np.log1p(internal + external))


def largest(values: Float[np.ndarray, " series"], chosen: Bool[np.ndarray, " series"]) -> float:
    """The largest of the chosen values, 0 where none is chosen."""
    return float(values[chosen].max(initial=0.0))


def _ratio(
    size: Float[np.ndarray, " series"], scale: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    return np.where(scale > 0, size / np.where(scale > 0, scale, 1.0), 0.0)
