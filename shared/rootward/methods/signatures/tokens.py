"""What the forecaster's encoder makes of a window: one vector for each row and series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rootward.errors import InsufficientData
from rootward.methods.discovery.neural_granger.encoder import pretrained
from rootward.methods.ranking.incident import onset_of
from rootward.methods.ranking.surprise import observed
from rootward.model.case import Case
from rootward.model.result import Inputs
from rootward.model.series import Series
from rootward.numerics.regression import rows_since_gap

STRETCH = 6
"""Rows that one vector tells about, the newest among them."""
MOST_SERIES = 24
"""The most surprising ones are looked at; more would leave too few rows for each."""
LEAST_MEASURED = 0.8
"""Share of its rows that a series must have."""
LEAST_ROWS = 60
LEAST_INCIDENT = 5
FEATURES = 4
"""Outputs of the encoder while it is trained; the vectors are what it has inside."""
HELD_OUT = 5
"""Every fifth block of rows is kept from training."""
BLOCK = 8


@dataclass(frozen=True, eq=False)
class Tokens:
    """Vectors of rows (first axis) and series (second), and what they were made from."""

    series: tuple[Series, ...]
    rows: Int[np.ndarray, " rows"]
    """Row of the window for each row of vectors."""
    z: Float[np.ndarray, "rows series"]
    """Signed baseline deviations."""
    stretches: Float[np.ndarray, "rows series stretch"]
    """The same, newest first, of the rows that a vector tells about."""
    vectors: Float[Tensor, "rows series d"]
    after: Bool[np.ndarray, " rows"]
    """Rows from the onset on."""
    dropped: dict[str, str]

    @property
    def flat(self) -> Float[Tensor, "tokens d"]:
        """One vector a row, row by row of the window."""
        return self.vectors.reshape(-1, self.vectors.shape[2])

    @property
    def training(self) -> Bool[np.ndarray, " rows"]:
        """Rows that a fit may see: time in blocks, every fifth of them held out."""
        return np.arange(len(self.rows)) // BLOCK % HELD_OUT != HELD_OUT - 1

    def chosen(self, rows: Bool[np.ndarray, " rows"]) -> Float[Tensor, "tokens d"]:
        """The vectors of some rows, flat."""
        part = self.vectors[torch.from_numpy(rows)]
        return part.reshape(-1, part.shape[2])

    def inputs(self, case: Case) -> Inputs:
        """What was looked at."""
        return Inputs.of(case.window, dropped=self.dropped)


def tokens_of(case: Case, seed: int) -> Tokens:
    """The vectors of the most surprising series, the symptom among them, in order of their names.

    Deviations enter as their logarithm, so that a leap does not blind the encoder to the rest.

    Raises:
        InsufficientData: no onset, too few rows on either side, or no series that is measured.
    """
    onset = onset_of(case)
    found, surprise = observed(case.window, onset)
    measured = np.isfinite(found.z).mean(axis=0) >= LEAST_MEASURED
    columns, dropped = _columns(case, measured, surprise)
    if not columns:
        raise InsufficientData(f"no series is measured in {LEAST_MEASURED:.0%} of the rows")
    z = np.column_stack([_bridged(found.z[:, c]) for c in columns])
    since = rows_since_gap(case.window.times, case.window.step_seconds)
    rows = np.flatnonzero(since >= STRETCH - 1)
    before, after = int(np.sum(rows < onset)), int(np.sum(rows >= onset))
    if before < LEAST_ROWS or after < LEAST_INCIDENT:
        raise InsufficientData(
            f"needs {LEAST_ROWS} rows before the onset and {LEAST_INCIDENT} after it with "
            f"{STRETCH - 1} uninterrupted rows before each, got {before} and {after}"
        )
    stretches = np.stack([z[rows - k] for k in range(STRETCH)], axis=2)
    return Tokens(
        tuple(case.window.series[c] for c in columns),
        rows,
        z[rows],
        stretches,
        _vectors(stretches, seed),
        rows >= onset,
        dropped,
    )


def _columns(
    case: Case, measured: Bool[np.ndarray, " series"], surprise: Float[np.ndarray, " series"]
) -> tuple[list[int], dict[str, str]]:
    series = case.window.series
    usable = [c for c in range(len(series)) if measured[c]]
    order = sorted(usable, key=lambda c: (c != case.symptom, -surprise[c], series[c]))
    kept = sorted(order[:MOST_SERIES], key=lambda c: series[c])
    dropped = {str(series[c]): "too few values" for c in range(len(series)) if not measured[c]}
    return kept, dropped | {str(series[c]): "less surprising" for c in order[MOST_SERIES:]}


def _bridged(z: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    known = np.isfinite(z)
    at = np.arange(len(z))
    return np.interp(at, at[known], z[known])


def _vectors(
    stretches: Float[np.ndarray, "rows series stretch"], seed: int
) -> Float[Tensor, "rows series d"]:
    rows, series, length = stretches.shape
    compressed = np.sign(stretches) * np.log1p(np.abs(stretches))
    flat = torch.from_numpy(compressed.astype(np.float32)).reshape(-1, length)
    encoder = pretrained(flat, FEATURES, seed)
    with torch.no_grad():
        return encoder.code(flat).reshape(rows, series, -1)
