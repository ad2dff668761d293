"""Several partitions as one stream: the record that was sent first is handed over first.

Whoever watches many services must not see an hour of one before the first minute of another,
which would seem to have fallen silent meanwhile.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

_MOST_BYTES = 16 * 2**20
"""Read ahead at most, but for the last reading."""
_PATIENCE_SECONDS = 0.5
"""How long the others wait for a partition that has more, or may have."""


class Merge:
    """What was read of each partition and not handed over yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read: dict[TopicPartition, deque[ConsumerRecord]] = {}
        self._next: dict[TopicPartition, int] = {}
        """Offset behind the last record that was read."""
        self._since: dict[TopicPartition, float] = {}
        """Since when it is waited for."""
        self._bytes = 0

    def restart(self, places: Iterable[TopicPartition]) -> None:
        """Forget all, and expect records of these partitions."""
        now = self._clock()
        self._read = {one: deque() for one in places}
        self._since = dict.fromkeys(self._read, now)
        self._next = {}
        self._bytes = 0

    def add(self, polled: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        """Take in what was read."""
        for place, records in polled.items():
            self._read.setdefault(place, deque()).extend(records)
            self._bytes += sum(len(one.value) for one in records)
            self._next[place] = records[-1].offset + 1
            self._since[place] = self._clock()

    def waits(self, ends: Callable[[TopicPartition], int | None]) -> bool:
        """Whether there is nothing to hand over, or a partition may have an older record.

        `ends` gives where a partition ends, None where that is not known yet. What was read is
        bounded: beyond it nothing is waited for.
        """
        if not any(self._read.values()):
            return True
        if self._bytes > _MOST_BYTES:
            return False
        empty = (place for place, records in self._read.items() if not records)
        lacking = [self._lacks(place, ends(place)) for place in empty]
        return any(lacking)

    def _lacks(self, place: TopicPartition, end: int | None) -> bool:
        at = self._next.get(place)
        if at is not None and end is not None and at >= end:
            self._since[place] = self._clock()
            return False
        return self._clock() - self._since.get(place, 0.0) < _PATIENCE_SECONDS

    def heads(self) -> dict[TopicPartition, int]:
        """The offset of the first record of each partition that has one."""
        return {place: records[0].offset for place, records in self._read.items() if records}

    def oldest(self) -> tuple[TopicPartition, ConsumerRecord]:
        """The record that was sent first, and its partition; it stays until `drop`."""
        heads = [(records[0].timestamp, place) for place, records in self._read.items() if records]
        _, place = min(heads)
        return place, self._read[place][0]

    def drop(self, place: TopicPartition) -> None:
        """Forget the first record of a partition; it was handed over."""
        self._bytes -= len(self._read[place].popleft().value)
        self._since[place] = self._clock()
