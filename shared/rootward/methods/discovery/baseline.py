"""What discovery learns from: the rows before the incident, comparable and without holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.errors import InsufficientData
from rootward.model.window import Window
from rootward.numerics.regression import rows_since_gap

MOST_MISSING = 0.2
"""Columns of which more is missing are left out."""
LONGEST_BRIDGE = 5
"""Rows of a hole that a straight line bridges; longer holes are filled with the usual level."""
FURTHEST = 5.0
"""Deviations at which a value is clipped, so that one spike cannot make an edge."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """Rows before the onset: standardised, clipped, holes filled, dead columns left out."""

    values: Float[np.ndarray, "rows used"]
    columns: Int[np.ndarray, " used"]
    """Columns of the window that `values` holds, in the order of their series: a fit sees the
    same numbers in the same places however the window's columns are ordered."""
    since_gap: Int[np.ndarray, " rows"]
    """Uninterrupted rows before each row."""
    filled: float
    """Share of the values used that were filled in."""
    cautions: tuple[str, ...]
    """What was left out or filled, in words."""

    def samples(self, lags: int) -> int:
        """How many rows have `lags` uninterrupted rows before them."""
        return int(np.sum(self.since_gap >= lags))

    def require(self, samples: int, lags: int) -> None:
        """Stop where there is too little.

        Raises:
            InsufficientData: fewer usable rows, or fewer than two usable series.
        """
        if len(self.columns) < 2:
            raise InsufficientData(
                f"needs two series that vary before the incident, got {len(self.columns)}"
            )
        if (got := self.samples(lags)) < samples:
            raise InsufficientData(
                f"needs {samples} baseline rows with {lags} rows before each, got {got}; "
                "widen the window"
            )


def baseline(window: Window) -> Baseline:
    """The rows before the onset (all where it is not known), made ready for a fit."""
    rows = window.baseline
    finite = np.isfinite(rows)
    present = finite.any(axis=1)
    measured = finite[present].mean(axis=0) if present.any() else np.zeros(rows.shape[1])
    enough = measured >= 1 - MOST_MISSING
    usable = np.flatnonzero(enough & _varying(rows, finite))
    columns = np.array(sorted(usable, key=lambda c: window.series[c]), dtype=np.int64)
    since_gap = _since_gap(window, finite[:, columns])
    kept = finite[:, columns]
    alive = kept.mean(axis=1) >= 0.5 if len(columns) else present
    values = np.empty((int(alive.sum()), len(columns)))
    for k, column in enumerate(columns):
        values[:, k] = _standard(_bridged(rows[alive, column]))
    filled = float(1 - kept[alive].mean()) if values.size else 0.0
    # some vary only in rows that most series were missing in
    varied = (values != values[:1]).any(axis=0)
    values, columns = values[:, varied], columns[varied]
    return Baseline(
        values, columns, since_gap[alive], filled, _cautions(window, enough, columns, filled)
    )


def _varying(
    rows: Float[np.ndarray, "rows series"], finite: Bool[np.ndarray, "rows series"]
) -> Bool[np.ndarray, " series"]:
    low = np.where(finite, rows, np.inf).min(axis=0, initial=np.inf)
    high = np.where(finite, rows, -np.inf).max(axis=0, initial=-np.inf)
    size = np.where(finite, np.abs(rows), 0).max(axis=0, initial=0)
    return np.asarray(high - low > 1e-9 * size)


def _since_gap(window: Window, finite: Bool[np.ndarray, "rows used"]) -> np.ndarray:
    """Rows where most series are missing interrupt like rows that are not there."""
    since = np.zeros(len(finite), dtype=np.int64)
    alive = finite.mean(axis=1) >= 0.5 if finite.shape[1] else np.ones(len(finite), dtype=bool)
    since[alive] = rows_since_gap(window.times[: len(finite)][alive], window.step_seconds)
    return since


def _bridged(x: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    known = np.isfinite(x)
    if known.all():
        return x
    at = np.arange(len(x))
    line = np.interp(at, at[known], x[known])
    before = np.maximum.accumulate(np.where(known, at, -len(x)))
    after = np.minimum.accumulate(np.where(known, at, 2 * len(x))[::-1])[::-1]
    short = after - before <= LONGEST_BRIDGE + 1
    return np.where(known | short, line, np.median(x[known]))


def _standard(x: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """Mean 0 and deviation 1 after clipping far values; 0 where nothing varies."""
    low, middle, high = np.quantile(x, (0.25, 0.5, 0.75))
    scale = max((high - low) / 1.349, x.std() / FURTHEST)
    if scale == 0:
        return np.zeros_like(x)
    clipped = np.clip((x - middle) / scale, -FURTHEST, FURTHEST)
    deviation = clipped.std()
    return np.asarray((clipped - clipped.mean()) / (deviation if deviation > 1e-12 else 1.0))


def _cautions(
    window: Window, enough: Bool[np.ndarray, " series"], columns: np.ndarray, filled: float
) -> tuple[str, ...]:
    said = []
    if missing := len(window.series) - int(enough.sum()):
        said.append(
            f"{missing} series were measured in less than {1 - MOST_MISSING:.0%} of the "
            "baseline and have no edges here."
        )
    if constant := int(enough.sum()) - len(columns):
        said.append(f"{constant} series were constant before the incident and have no edges here.")
    if filled > 0.001:
        said.append(f"{filled:.1%} of the baseline values were missing and filled in.")
    return tuple(said)
