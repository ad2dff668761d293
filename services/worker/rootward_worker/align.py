"""Turns a trickle of samples into rows on the step grid, and decides when a row is complete."""

from __future__ import annotations

import logging
import math

import numpy as np

from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window

log = logging.getLogger(__name__)

_SENDERS = 64
"""So many lists of series are remembered by the columns that they have."""
_ROUNDING = 1e-6
"""Of a step: a sample that lies this little after a row belongs to it."""


class Rows:
    """The last rows of one tenant, in a ring of bounded size.

    Row r holds the last sample of each series in (t - step, t] with t = r · step. It is
    complete once a sample came that is younger by a grace, or once nothing younger came for a
    step and a grace. A sample for a complete row is late: it is counted and still kept.
    """

    def __init__(self, step_seconds: float, capacity: int, most_series: int = 50_000) -> None:
        self._step = step_seconds
        self._capacity = capacity
        self._most = most_series
        self._grace = max(0.5 * step_seconds, min(step_seconds, 1.0))
        self._column: dict[Series, int] = {}
        self._sorted = np.zeros(0, np.int64)
        self._values = np.full((capacity, 64), np.nan)
        self._stamps = np.full((capacity, 64), -np.inf)
        self._oldest: int | None = None
        self._newest = 0
        self._newest_seen = 0.0
        self._youngest = -math.inf
        self._complete = 0
        self._refused = False
        self.renumbered = 0
        """How often columns got other numbers: series that fell silent made room."""
        self._disturbed: int | None = None
        self._arrivals: dict[int, tuple[tuple[Series, ...], np.ndarray]] = {}

    @property
    def complete(self) -> int | None:
        """The newest complete row, None before there is one."""
        if self._oldest is None or self._complete < self._oldest:
            return None
        return self._complete

    def time_of(self, row: int) -> float:
        """Unix seconds of a row."""
        return row * self._step

    def row_of(self, unix: float) -> int:
        """The row that a time belongs to."""
        return math.ceil(unix / self._step - _ROUNDING)

    def fill(self, window: Window) -> None:
        """Start from rows that are stored already; all but the newest count as complete."""
        if not len(window.times):
            return
        first = self.row_of(float(window.times[0]))
        self._begin(first)
        self._advance(first + len(window.times) - 1, float(window.times[-1]))
        for offset, values in enumerate(window.values):
            known = np.flatnonzero(np.isfinite(values))
            columns = self._columns([window.series[k] for k in known])
            taken = columns >= 0
            slot = (first + offset) % self._capacity
            self._values[slot, columns[taken]] = values[known][taken]
            self._stamps[slot, columns[taken]] = window.times[offset] - self._step
        self._youngest = float(window.times[-1]) - self._step * (1 - _ROUNDING)
        self._complete = self._newest - 1

    def take(self, batch: SampleBatch, now: float) -> int:
        """Sort samples into rows; returns how many came too late for their row.

        Samples that lie over a step ahead of the clock are left to the store.
        """
        rows = np.ceil(batch.times / self._step - _ROUNDING).astype(np.int64)
        in_time = batch.times <= now + self._step
        if not np.any(in_time):
            return 0
        newest = int(rows[in_time].max())
        if self._oldest is None:
            self._begin(int(rows[in_time].min()))
            self._newest_seen = now
        self._advance(newest, now)
        is_late = in_time & (rows <= self._complete)
        late = int(np.count_nonzero(is_late))
        if late:
            self._disturb(int(rows[is_late].min()))
        self._put(batch, rows, in_time & (rows > self._newest - self._capacity))
        self._youngest = max(self._youngest, float(batch.times[in_time].max()))
        return late

    def newly_complete(self, now: float) -> range:
        """Rows that became complete since the last call, oldest first."""
        if self._oldest is None:
            return range(0)
        until = math.floor((self._youngest - self._grace) / self._step + _ROUNDING)
        if now >= self._newest_seen + self._step + self._grace:
            until = self._newest
        until = min(until, self._newest)
        fresh = range(max(self._complete + 1, self._newest - self._capacity + 1), until + 1)
        self._complete = max(self._complete, until)
        return fresh

    def first(self, row: int) -> int:
        """The oldest row that is held, `row` itself where there is none."""
        return row if self._oldest is None else max(self._oldest, self._newest - self._capacity + 1)

    def window(self, row: int) -> Window:
        """The rows up to `row`, with every series that has a sample in them."""
        columns = self.measured(row)
        series = list(self._column)
        rows = np.arange(self.first(row), row + 1)
        return Window(
            tuple(series[c] for c in columns), rows * self._step,
            self.values(rows, columns), self._step,
        )  # fmt: skip

    def measured(self, row: int) -> np.ndarray:
        """Columns with a sample in the rows up to `row`, by the order of their series."""
        rows = np.arange(self.first(row), row + 1) % self._capacity
        heard = np.any(np.isfinite(self._values[rows]), axis=0)
        if len(self._sorted) != len(self._column):
            series = list(self._column)
            self._sorted = np.array(sorted(range(len(series)), key=series.__getitem__), np.int64)
        return self._sorted[heard[self._sorted]]

    def values(self, rows: np.ndarray, columns: np.ndarray | None = None) -> np.ndarray:
        """Rows that are held, of some columns or of all that have a place."""
        slots = rows % self._capacity
        if columns is None:
            return self._values[slots]
        return self._values[slots[:, None], columns]

    def disturbed(self) -> int | None:
        """The oldest complete row that late samples came for since this was asked last."""
        found, self._disturbed = self._disturbed, None
        return found

    def _begin(self, row: int) -> None:
        self._oldest = row
        self._newest = row
        self._complete = row - 1

    def _advance(self, newest: int, now: float) -> None:
        """Make room for rows up to `newest`."""
        if newest <= self._newest:
            return
        fresh = np.arange(max(self._newest, newest - self._capacity) + 1, newest + 1)
        self._values[fresh % self._capacity] = np.nan
        self._stamps[fresh % self._capacity] = -np.inf
        self._newest, self._newest_seen = newest, now

    def _put(self, batch: SampleBatch, rows: np.ndarray, wanted: np.ndarray) -> None:
        columns = self._columns_of(batch.series)[batch.index]
        chosen = np.flatnonzero(wanted & (columns >= 0))
        chosen = chosen[np.argsort(batch.times[chosen], kind="stable")]
        slots, columns = rows[chosen] % self._capacity, columns[chosen]
        if self._oldest is not None and len(chosen):
            self._oldest = min(self._oldest, int(rows[chosen].min()))
        newer = batch.times[chosen] > self._stamps[slots, columns]
        slots, columns, chosen = slots[newer], columns[newer], chosen[newer]
        self._values[slots, columns] = batch.values[chosen]
        self._stamps[slots, columns] = batch.times[chosen]

    def _disturb(self, row: int) -> None:
        self._disturbed = row if self._disturbed is None else min(row, self._disturbed)

    def _columns_of(self, series: tuple[Series, ...]) -> np.ndarray:
        """As `_columns`; senders repeat themselves, and what is repeated is looked up once."""
        known = self._arrivals.get(id(series))
        if known is not None:
            return known[1]
        columns = self._columns(list(series))
        if len(self._arrivals) >= _SENDERS:
            self._arrivals.clear()
        if np.all(columns >= 0):
            self._arrivals[id(series)] = (series, columns)  # held, so that its id stays its own
        return columns

    def _columns(self, series: list[Series]) -> np.ndarray:
        """The column of each series, -1 for one that finds no room."""
        fresh = [s for s in dict.fromkeys(series) if s not in self._column]
        if len(self._column) + len(fresh) > self._most:
            self._forget_silent()
        for one in fresh[: max(0, self._most - len(self._column))]:
            self._column[one] = len(self._column)
        if any(s not in self._column for s in fresh) and not self._refused:
            self._refused = True
            log.warning("more series than the detector follows", extra={"most": self._most})
        self._widen(len(self._column))
        return np.array([self._column.get(s, -1) for s in series], dtype=np.int64)

    def _widen(self, columns: int) -> None:
        width = self._values.shape[1]
        if columns <= width:
            return
        more = max(columns, 2 * width) - width
        self._values = np.pad(self._values, ((0, 0), (0, more)), constant_values=np.nan)
        self._stamps = np.pad(self._stamps, ((0, 0), (0, more)), constant_values=-np.inf)

    def _forget_silent(self) -> None:
        """Drop series without a sample in the whole ring."""
        kept = np.flatnonzero(np.any(np.isfinite(self._values), axis=0))
        series = list(self._column)
        kept = kept[kept < len(series)]
        self._column = {series[c]: k for k, c in enumerate(kept)}
        self._values = self._values[:, kept]
        self._stamps = self._stamps[:, kept]
        self._sorted = np.zeros(0, np.int64)
        self.renumbered += 1
        self._arrivals.clear()
        self._refused = False
