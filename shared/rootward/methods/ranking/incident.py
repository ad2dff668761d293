"""The rows before and after the onset, or the reason why there are too few."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.errors import InsufficientData
from rootward.model.case import Case

LEAST_ROWS = 3
"""Fewest rows that can serve as a baseline."""


def onset_of(case: Case) -> int:
    """The onset row, with a baseline before it and at least one series.

    Raises:
        InsufficientData: no onset, too few rows before it, or no series.
    """
    onset = case.window.onset
    if onset is None:
        raise InsufficientData("a ranking compares before and after: it needs the onset")
    if onset < LEAST_ROWS:
        raise InsufficientData(f"{onset} rows before the onset; a baseline needs {LEAST_ROWS}")
    if not case.window.series:
        raise InsufficientData("the window holds no series")
    return onset


def before_and_after(
    case: Case,
) -> tuple[Float[np.ndarray, "before series"], Float[np.ndarray, "after series"]]:
    """The values on both sides of the onset.

    Raises:
        InsufficientData: as `onset_of`.
    """
    onset = onset_of(case)
    return case.window.values[:onset], case.window.values[onset:]
