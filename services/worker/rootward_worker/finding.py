"""What is known of a series, what is normal for it, and that it has left that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rootward.model.series import Series
from rootward.numerics.departure import Calibration
from rootward_worker.names import Names


@dataclass(frozen=True, eq=False)
class Traits:
    """What is known of each series apart from its values just now."""

    names: Names
    logarithmic: np.ndarray
    offset: np.ndarray
    """Added before the logarithm, so that 0 is a finite distance away."""
    full: np.ndarray
    """100 where a share is in percent, 1 where it is not, 0 for what is no share."""

    def of(self, column: int) -> Traits:
        """Those of one series, as those of many; its name is left where it was."""
        one = slice(column, column + 1)
        return replace(
            self, logarithmic=self.logarithmic[one], offset=self.offset[one], full=self.full[one]
        )


@dataclass(frozen=True, eq=False)
class Normal:
    """The calibrated baseline of a frame."""

    series: tuple[Series, ...]
    traits: Traits
    calibration: Calibration
    felt: frozenset[str]
    """Services with a symptom series that is judged."""
    judged: np.ndarray
    """How many series of each service are judged, by the positions of `traits.names.services`."""


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
