"""How far series departed from their baseline: robust location, floored scale, deviations."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

_LEVEL_FLOOR = 0.01
"""Smallest scale, as a share of the level: a change below one per cent of it is no change."""
_SPREAD_FLOOR = 0.1
"""Smallest scale, as a share of the standard deviation: for series that are mostly constant."""
CAP = 1e3
"""Deviations are cut here: beyond it, more deviations are not more evidence."""


def measured(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, "rows series"]:
    """The values with infinities as NaN: neither was measured."""
    return np.where(np.isfinite(values), values, np.nan)


def quantiles(
    values: Float[np.ndarray, "rows series"], shares: tuple[float, ...]
) -> Float[np.ndarray, "shares series"]:
    """Quantiles of each column over its measured rows (linear); NaN for an empty column."""
    ordered = np.sort(measured(values), axis=0)  # NaN goes last
    count = np.isfinite(ordered).sum(axis=0)
    result = np.full((len(shares), values.shape[1]), np.nan)
    if not len(values):
        return result
    for k, share in enumerate(shares):
        position = share * np.maximum(count - 1, 0)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        below = np.take_along_axis(ordered, low[None, :], axis=0)[0]
        above = np.take_along_axis(ordered, high[None, :], axis=0)[0]
        result[k] = np.where(count > 0, below + (above - below) * (position - low), np.nan)
    return result


def median(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, " series"]:
    """Median of each column over its measured rows; NaN for an empty column."""
    return quantiles(values, (0.5,))[0]


def standard_deviation(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, " series"]:
    """Standard deviation of each column over its measured rows; 0 for fewer than two."""
    x = measured(values)
    known = np.isfinite(x)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / count
    return np.sqrt(np.where(known, (x - mean) ** 2, 0.0).sum(axis=0) / count)


def location_and_scale(
    baseline: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Median and a robust, floored scale of each column; NaN for a column without a value.

    The scale is 0 only for a column that was 0 throughout.
    """
    low, centre, high = quantiles(baseline, (0.25, 0.5, 0.75))
    distance = median(np.abs(measured(baseline) - centre))
    floors = (
        1.4826 * distance,
        (high - low) / 1.349,
        _SPREAD_FLOOR * standard_deviation(baseline),
        _LEVEL_FLOOR * np.abs(centre),
    )
    return centre, np.maximum.reduce(floors)


def deviations(
    values: Float[np.ndarray, "rows series"], baseline: Float[np.ndarray, "rows series"]
) -> Float[np.ndarray, "rows series"]:
    """Signed distance from the baseline in its scales, cut at `CAP`; NaN where not measured.

    A column that was constantly 0 is measured in the largest value it takes in `values`.
    """
    centre, scale = location_and_scale(baseline)
    x = measured(values)
    away = np.abs(x - centre)
    largest = np.where(np.isfinite(away), away, 0.0).max(axis=0, initial=0.0)
    scale = np.where(scale > 0, scale, np.where(largest > 0, largest / 10, 1.0))
    return np.clip((x - centre) / scale, -CAP, CAP)


def runs_of(flags: Bool[np.ndarray, "rows series"], length: int) -> Bool[np.ndarray, "rows series"]:
    """True at rows where a run of at least `length` true rows begins or goes on forward."""
    result = flags.copy()
    for ahead in range(1, min(length, len(flags) + 1)):
        shifted = np.zeros_like(flags)
        shifted[: len(flags) - ahead] = flags[ahead:]
        result &= shifted
    return result
