"""Samples that contradict one that came before: same series, same time, another value.

The store keeps the first of them whatever comes; this is how their sender gets to know. Only the
newest sample of a series is remembered, which is the one that is sent again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np


class Newest:
    """The newest sample of each series, by the number of the series, in a bounded table.

    Two numbers may share a cell: then the one that came last is remembered, and a contradiction
    of the other passes unnoticed. Safe to use from several threads.
    """

    def __init__(self, cells: int) -> None:
        self._owners = np.full(cells, -1, np.int64)
        self._times = np.zeros(cells)
        self._values = np.zeros(cells)
        self._lock = threading.Lock()

    def contradicting(self, samples: Numbered) -> np.ndarray:
        """For each sample whether it contradicts an earlier one."""
        numbers, times = samples.numbers, samples.times
        cells = numbers % len(self._owners)
        with self._lock:
            again = (self._owners[cells] == numbers) & (self._times[cells] == times)
            if again.any():
                again &= _differ(self._values[cells], samples.values)
        if not samples.distinct:
            again |= _within(samples)
        return again & (numbers >= 0)

    def remember(self, samples: Numbered) -> None:
        """Note samples that were accepted."""
        samples = samples if samples.distinct else _latest(samples)
        cells = samples.numbers % len(self._owners)
        with self._lock:
            newer = (self._owners[cells] != samples.numbers) | (samples.times > self._times[cells])
            cells = cells[newer]
            self._owners[cells] = samples.numbers[newer]
            self._times[cells] = samples.times[newer]
            self._values[cells] = samples.values[newer]


@dataclass(frozen=True, eq=False)
class Numbered:
    """Samples with the numbers of their series; -1 is no series."""

    numbers: np.ndarray
    times: np.ndarray
    values: np.ndarray
    distinct: bool
    """Whether no series has two of them, as in a scrape."""

    def only(self, chosen: np.ndarray) -> Numbered:
        """Those that are chosen, by a mask or by their places."""
        columns = (self.numbers[chosen], self.times[chosen], self.values[chosen])
        return Numbered(*columns, self.distinct)


def _latest(samples: Numbered) -> Numbered:
    """The newest sample of each series."""
    order = np.argsort(samples.times, kind="stable")[::-1]
    _, first = np.unique(samples.numbers[order], return_index=True)
    return samples.only(order[first])


def _within(samples: Numbered) -> np.ndarray:
    """Samples that contradict the first one of their series and time in the same request."""
    order = np.lexsort((samples.times, samples.numbers))
    numbers, times = samples.numbers[order], samples.times[order]
    moved = (numbers[1:] != numbers[:-1]) | (times[1:] != times[:-1])
    wrong = np.zeros(len(order), dtype=bool)
    if moved.all():
        return wrong
    starts = np.concatenate(([True], moved))
    first = order[starts][np.cumsum(starts) - 1]
    wrong[order] = _differ(samples.values[first], samples.values[order])
    return wrong


def _differ(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    differ: np.ndarray = (first != second) & ~(np.isnan(first) & np.isnan(second))
    return differ
