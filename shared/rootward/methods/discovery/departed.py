"""What methods that compare before and after look at: the series that departed furthest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.errors import InsufficientData
from rootward.methods.ranking.surprise import observed
from rootward.model.window import Window
from rootward.numerics.regression import rows_since_gap

MOST_MISSING = 0.5
_ALIKE = 0.999
"""Correlation from which on two series are one."""
_FEWEST_ROWS = 3


@dataclass(frozen=True, eq=False)
class Departed:
    """Rows before and after the onset, in baseline deviations; constant and double series out."""

    values: Float[np.ndarray, "rows used"]
    columns: Int[np.ndarray, " used"]
    """Columns of the window, in the order of their series."""
    names: tuple[str, ...]
    times: Float[np.ndarray, " rows"]
    since_gap: Int[np.ndarray, " rows"]
    onset: int
    """First row of the incident among these rows."""
    dropped: dict[str, str]
    """Series that departed and could not be used, and why."""


def departed(window: Window, most: int) -> Departed:
    """The `most` series that departed furthest, over the rows in which all were measured.

    Raises:
        InsufficientData: no onset, no rows on a side, or fewer than two usable series.
    """
    onset = window.onset
    if onset is None or onset < _FEWEST_ROWS:
        raise InsufficientData("compares before and after: it needs an onset with rows before it")
    surprise = observed(window, onset)[1]
    by_surprise = sorted(
        np.flatnonzero(surprise > 0).tolist(), key=lambda c: (-surprise[c], window.series[c])
    )
    dropped: dict[str, str] = {}
    kept: list[int] = []
    for column in by_surprise:
        if len(kept) == most:
            break
        if reason := _unusable(window, column, kept):
            dropped[str(window.series[column])] = reason
        else:
            kept.append(column)
    rows = _complete(window, kept)
    for column in [c for c in kept if _constant(window.values[rows, c])]:
        kept.remove(column)
        dropped[str(window.series[column])] = "constant where the others were measured"
    if len(kept) < 2:
        raise InsufficientData(
            f"needs two series that departed from their baseline, got {len(kept)}"
        )
    columns = np.array(sorted(kept, key=lambda c: window.series[c]), dtype=np.int64)
    times = window.times[rows]
    return Departed(
        _in_deviations(window.values[np.ix_(rows, columns)], int(rows[:onset].sum())),
        columns,
        tuple(str(window.series[c]) for c in columns),
        times,
        rows_since_gap(times, window.step_seconds),
        int(rows[:onset].sum()),
        dropped,
    )


def _complete(window: Window, kept: list[int]) -> Bool[np.ndarray, " rows"]:
    """The rows in which all of these were measured."""
    onset = window.onset or 0
    rows = np.isfinite(window.values[:, kept]).all(axis=1)
    if not rows[:onset].sum() >= _FEWEST_ROWS or not rows[onset:].any():
        raise InsufficientData("hardly a row has all of the series that departed")
    return np.asarray(rows)


def _constant(x: Float[np.ndarray, " rows"]) -> bool:
    return bool(np.ptp(x) <= 1e-9 * np.abs(x).max())


def _unusable(window: Window, column: int, kept: list[int]) -> str:
    x = window.values[:, column]
    seen = np.isfinite(x)
    for part in (seen[: window.onset], seen[window.onset :]):
        if part.mean() <= 1 - MOST_MISSING:
            return f"measured in less than {1 - MOST_MISSING:.0%} of the rows"
    if _constant(x[seen]):
        return "constant"
    for other in kept:
        both = seen & np.isfinite(window.values[:, other])
        if both.sum() > 2 and _correlation(x[both], window.values[both, other]) > _ALIKE:
            return f"the same as {window.series[other]}"
    return ""


def _correlation(x: Float[np.ndarray, " rows"], y: Float[np.ndarray, " rows"]) -> float:
    a, b = x - x.mean(), y - y.mean()
    own = np.sqrt((a @ a) * (b @ b))
    return float(abs(a @ b) / own) if own > 0 else 0.0


def _in_deviations(
    values: Float[np.ndarray, "rows used"], onset: int
) -> Float[np.ndarray, "rows used"]:
    """By the baseline's mean and deviation; by those of all rows where the baseline is constant."""
    before = values[:onset]
    deviation = before.std(axis=0)
    still = deviation <= 1e-9 * np.abs(values).max(axis=0)
    return (values - before.mean(axis=0)) / np.where(still, values.std(axis=0), deviation)
