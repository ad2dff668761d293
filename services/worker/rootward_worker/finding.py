"""What is known of a series, what is normal for it, and that it has left that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward.model.kind import Kind
from rootward.model.series import Series
from rootward.numerics.departure import Calibration


@dataclass(frozen=True, eq=False)
class Traits:
    """What is known of each series apart from its values just now."""

    kind: tuple[Kind, ...]
    direction: np.ndarray
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    symptom: np.ndarray
    """Whether a caller feels it."""
    logarithmic: np.ndarray
    offset: np.ndarray
    """Added before the logarithm, so that 0 is a finite distance away."""
    full: np.ndarray
    """100 where a share is in percent, 1 where it is not, 0 for what is no share."""


@dataclass(frozen=True, eq=False)
class Normal:
    """The calibrated baseline of a frame."""

    series: tuple[Series, ...]
    traits: Traits
    calibration: Calibration


@dataclass(frozen=True)
class Finding:
    """A series that has left its baseline."""

    series: Series
    onset: int
    """Row of the frame."""
    score: float
    """Multiple of its bound, signed."""
    size: float
    """Robust deviations of the baseline, signed."""
    before: float
    after: float
    harmful: bool
    """Opens an incident by itself."""
    gone: bool = False
    """Its whole service stopped to report."""
