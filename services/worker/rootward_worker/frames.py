"""The frame of a tenant, kept from row to row: a new row costs what is new in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rootward.model.kind import Kind, kind_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.frame import LONGEST_GAP_STEPS, folded, laid_out, measured, summed
from rootward.rca.layout import Layout
from rootward_worker.align import Rows

ANEW_ROWS = 60
"""The whole frame is made anew after so many rows, a quarter of those known while they are few."""
_CONTEXT = int(LONGEST_GAP_STEPS)
"""Rows that a rate looks back over."""
_SPARE = 0.25
"""Of the rows: room behind the newest one, before all are moved together."""


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over the instances of a service, which stand behind the columns of a frame."""

    series: tuple[Series, ...]
    members: np.ndarray
    """Columns of the frame, those of one total after the other."""
    starts: np.ndarray

    def behind(self, table: np.ndarray) -> np.ndarray:
        """The table with the totals behind it."""
        return np.hstack([table, summed(table, self.members, self.starts)])


@lru_cache(maxsize=16)
def totals_of(series: tuple[Series, ...]) -> Totals:
    """Traffic summed over the instances of a service, where there are several.

    Traffic that moves from one instance to another is no outage.
    """
    groups: dict[Series, list[int]] = {}
    for c, one in enumerate(series):
        if one.instance and kind_of(one.metric) is Kind.TRAFFIC and len(one.labels) == 2:
            groups.setdefault(Series.of(one.metric, one.service), []).append(c)
    known = set(series)
    several = {s: c for s, c in groups.items() if len(c) > 1 and s not in known}
    sizes = [len(columns) for columns in several.values()]
    return Totals(
        tuple(several),
        np.array([c for columns in several.values() for c in columns], dtype=np.int64),
        np.cumsum([0, *sizes], dtype=np.int64)[:-1],
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """How a new row becomes one of the frame, as long as its series behave as they did."""

    made_at: int
    numbering: int
    columns: np.ndarray
    """Of the rows that are held, in the order of the raw window."""
    layout: Layout
    still: np.ndarray
    """Raw columns that become counters once they rise."""
    totals: Totals
    empty: Window
    """The series of the frame, without rows."""


class Frames:
    """The framed rows of one tenant, with the totals of its services.

    A window that was handed out shows the newest rows as they are corrected by late samples; it
    is for looking at until the next one is asked for. What is counter and what is gauge is asked
    again when a series appears, when a counter falls or one that stood still rises, and after
    `ANEW_ROWS`.
    """

    def __init__(self, rows: Rows, step_seconds: float, capacity: int) -> None:
        self._rows, self._step, self._capacity = rows, step_seconds, capacity
        self._plan: _Plan | None = None
        self._table = np.zeros((0, 0))
        self._end = 0
        """Place in the table after that of the newest row."""
        self._until = 0
        """The newest row."""
        self.raw: tuple[Series, ...] = ()
        """What the frame is made of."""

    def upto(self, row: int) -> Window:
        """The frame of the rows that are held up to `row`, which ascends from call to call."""
        plan = self._plan
        if plan is None or not self._goes_on(plan, row):
            plan = self._plan = self._anew(row)
        times = np.arange(self._rows.first(row), row + 1) * self._step
        end = self._end - (self._until - row)
        return plan.empty.followed(times, self._table[end - len(times) : end])

    def _goes_on(self, plan: _Plan, row: int) -> bool:
        """Take in the rows up to `row` by the plan, unless they call for another one."""
        late = self._rows.disturbed()
        first = min(self._until + 1, row + 1 if late is None else late)
        known = row - self._rows.first(row)
        due = row - plan.made_at >= min(ANEW_ROWS, max(1, known // 4))
        if due or plan.numbering != self._rows.renumbered or row - first >= ANEW_ROWS:
            return False
        begin = max(first - _CONTEXT, self._rows.first(row))
        rows = np.arange(begin, row + 1)
        whole = self._rows.values(rows)
        raw = measured(whole[:, plan.columns])
        if not first > begin or np.isfinite(whole).sum() > np.isfinite(raw).sum():
            return False
        if _falls(raw[:, plan.layout.counters]) or _falls(-raw[:, plan.still]):
            return False
        if first <= row:
            newest = row + 1 - first
            table = folded(raw, rows * self._step, self._step, plan.layout, newest=newest)
            self._put(plan.totals.behind(table), row)
        return True

    def _anew(self, row: int) -> _Plan:
        """Make all rows anew, and a plan for those that come."""
        self._rows.disturbed()
        window = self._rows.window(row)
        self.raw = window.series
        frame, layout, nature = laid_out(window)
        totals = totals_of(frame.series)
        columns = self._rows.measured(row)
        series = (*frame.series, *totals.series)
        rows = len(frame.times)
        self._table = np.full((rows + self._spare(), len(series)), np.nan)
        self._table[:rows] = totals.behind(frame.values)
        self._end, self._until = rows, row
        still = np.array(nature.still, dtype=np.int64)
        empty = Window(series, np.zeros(0), np.zeros((0, len(series))), self._step)
        return _Plan(row, self._rows.renumbered, columns, layout, still, totals, empty)

    def _spare(self) -> int:
        return max(1, int(_SPARE * self._capacity))

    def _put(self, fresh: np.ndarray, row: int) -> None:
        """The newest rows, in the place of those of them that are there already."""
        end = self._end + row - self._until
        if end > len(self._table):
            kept = self._table[max(0, self._end - self._capacity) : self._end]
            self._table = np.full((len(kept) + len(fresh) + self._spare(), kept.shape[1]), np.nan)
            self._table[: len(kept)] = kept
            end = len(kept) + row - self._until
        self._table[end - len(fresh) : end] = fresh
        self._end, self._until = end, row


def _falls(values: np.ndarray) -> bool:
    """Whether any column falls within the rows."""
    if len(values) < 2 or not values.shape[1]:
        return False
    highest = np.fmax.accumulate(values, axis=0)
    return bool(np.any(values[1:] < highest[:-1]))
