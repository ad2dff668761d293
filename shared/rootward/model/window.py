"""Window: aligned series over a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidInput
from rootward.model.series import Series


@dataclass(frozen=True, eq=False)
class Window:
    """Series aligned on a common grid, with the row where the incident begins if it is known.

    `values` is (rows, series), NaN where nothing was measured; it is read-only. `times` are
    Unix seconds, ascending; a distance over `step_seconds` is a gap in the recording.
    """

    series: tuple[Series, ...]
    times: Float[np.ndarray, " rows"]
    values: Float[np.ndarray, "rows series"]
    step_seconds: float
    onset: int | None = None
    """First row of the incident; the rows before it are the baseline."""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.times), len(self.series)):
            raise InvalidInput(
                f"values are {self.values.shape}, but there are {len(self.times)} times "
                f"and {len(self.series)} series"
            )
        if np.any(np.diff(self.times) <= 0):
            raise InvalidInput("times of a window must ascend without duplicates")
        if self.step_seconds <= 0:
            raise InvalidInput("step_seconds must be positive")
        if self.onset is not None and not 0 <= self.onset < len(self.times):
            raise InvalidInput(f"onset row {self.onset} lies outside of {len(self.times)} rows")
        if len(set(self.series)) != len(self.series):
            raise InvalidInput("a window holds a series twice")
        values = np.asarray(self.values, dtype=np.float64)
        if values is self.values or np.shares_memory(values, self.values):
            values = values.view()
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def services(self) -> tuple[str, ...]:
        """The services in the window, sorted."""
        return tuple(sorted({s.service for s in self.series}))

    @property
    def onset_unix(self) -> float | None:
        """Time of the onset row, Unix seconds."""
        return None if self.onset is None else float(self.times[self.onset])

    @property
    def baseline(self) -> Float[np.ndarray, "baseline_rows series"]:
        """The rows before the onset; all rows where the onset is not known."""
        return self.values if self.onset is None else self.values[: self.onset]

    @property
    def incident(self) -> Float[np.ndarray, "incident_rows series"]:
        """The rows from the onset on; none where the onset is not known."""
        return self.values[len(self.values) if self.onset is None else self.onset :]

    def with_onset(self, row: int | None) -> Window:
        """The same rows with another onset."""
        return replace(self, onset=row)

    def select(self, columns: Sequence[int]) -> Window:
        """The given columns, in the given order."""
        chosen = list(columns)
        return replace(
            self, series=tuple(self.series[c] for c in chosen), values=self.values[:, chosen]
        )

    def rows(self, start: int, stop: int) -> Window:
        """Rows `start` to `stop` (exclusive); the onset moves along, or is lost outside."""
        onset = None if self.onset is None else self.onset - start
        if onset is not None and not 0 <= onset < stop - start:
            onset = None
        return replace(
            self, times=self.times[start:stop], values=self.values[start:stop], onset=onset
        )

    def followed(
        self, times: Float[np.ndarray, " later"], values: Float[np.ndarray, "later series"]
    ) -> Window:
        """Other rows of the same series, which are taken as they are: nothing is checked again."""
        made = object.__new__(Window)
        seen = values.view()
        seen.setflags(write=False)
        vars(made).update(vars(self), times=times, values=seen, onset=None)
        return made

    def row_at(self, unix: float) -> int:
        """The first row at or after a time; the number of rows where there is none."""
        return int(np.searchsorted(self.times, unix))
