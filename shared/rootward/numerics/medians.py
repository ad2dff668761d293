"""Medians and quantiles of many series at once, which may have gaps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

ByRow = Float[np.ndarray, "series rows"]
"""A series a line, so that all of its values lie side by side."""
Ends = Float[np.ndarray, "series ends"]
PerSeries = Float[np.ndarray, " series"]


def known(values: Float[np.ndarray, "series places"]) -> Int[np.ndarray, " series"]:
    """How many values of each line are numbers."""
    return np.count_nonzero(np.isfinite(values), axis=1)


def quantile(ordered: ByRow, rows: Int[np.ndarray, " series"], q: float) -> PerSeries:
    """The q-quantile of sorted lines whose first `rows` values are numbers; NaN without any."""
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    at = q * np.maximum(rows - 1, 0)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, np.maximum(rows - 1, 0))
    lines = np.arange(len(ordered))
    below, above = ordered[lines, low], ordered[lines, high]
    return below + (at - low) * (above - below)


def median(values: Float[np.ndarray, "rows series"], least: int) -> PerSeries:
    """The median of each column, NaN where fewer than `least` values are numbers."""
    if len(values) < least:
        return np.full(values.shape[1], np.nan)
    ordered, last = np.sort(values, axis=0), len(values) - 1
    found = (ordered[last // 2] + ordered[(last + 1) // 2]) / 2
    rows = np.count_nonzero(np.isfinite(values), axis=0)
    if len(gaps := np.flatnonzero(rows <= last)):
        middle = quantile(ordered[:, gaps].T, rows[gaps], 0.5)
        found[gaps] = np.where(rows[gaps] >= least, middle, np.nan)
    return np.asarray(found)


def running_median(values: ByRow, width: int, least: int, every: int = 1) -> Ends:
    """Medians of `width` rows up to the last one, and up to each `every`-th row before it.

    Newest first; NaN where fewer than `least` are numbers.
    """
    if values.shape[1] < width:
        return np.full((len(values), 1), np.nan)
    whole = bool(np.all(np.isfinite(values)))
    if whole and width in (3, 9):
        return _odd_median(values, width, every)
    stretches = np.lib.stride_tricks.sliding_window_view(values, width, axis=1)[:, ::-every]
    ordered = np.sort(stretches, axis=-1)
    if whole:
        return (ordered[..., (width - 1) // 2] + ordered[..., width // 2]) / 2
    rows = np.count_nonzero(np.isfinite(ordered), axis=-1)
    at = np.maximum(rows - 1, 0)
    low = np.take_along_axis(ordered, (at // 2)[..., None], axis=-1)[..., 0]
    high = np.take_along_axis(ordered, ((at + 1) // 2)[..., None], axis=-1)[..., 0]
    return np.where(rows >= least, (low + high) / 2, np.nan)


def _odd_median(values: ByRow, width: int, every: int) -> Ends:
    """The same for 3 or 9 rows without gaps, by comparisons alone (Paeth 1990)."""
    first, second, third = values[:, :-2], values[:, 1:-1], values[:, 2:]
    if width == 3:
        return _middle(first, second, third)[:, ::-every]
    low = np.minimum(np.minimum(first, second), third)
    high = np.maximum(np.maximum(first, second), third)
    middle = _middle(first, second, third)
    thrice = (slice(None, -6), slice(3, -3), slice(6, None))
    lows, middles, highs = (
        [three[:, part][:, ::-every] for part in thrice] for three in (low, middle, high)
    )
    return _middle(
        np.maximum(np.maximum(lows[0], lows[1]), lows[2]),
        _middle(*middles),
        np.minimum(np.minimum(highs[0], highs[1]), highs[2]),
    )


def _middle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c)))
