"""Partitions as one stream: what was sent first comes first, whatever was read first."""

from __future__ import annotations

from kafka import TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from rootward.adapters.kafka.merging import Merge
from rootward.testing.fakes import ManualClock

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def _records(first: int, *sent: int) -> list[ConsumerRecord]:
    blank = dict.fromkeys(ConsumerRecord._fields)
    return [
        ConsumerRecord(**blank | {"offset": first + k, "timestamp": at, "value": b""})
        for k, at in enumerate(sent)
    ]


def _all(merge: Merge) -> list[tuple[int, int]]:
    found = []
    while not merge.waits(lambda _: 0):
        place, record = merge.oldest()
        found.append((place.partition, record.timestamp))
        merge.drop(place)
    return found


def test_the_oldest_of_all_partitions_comes_first():
    merge = Merge()
    merge.restart([A, B])
    merge.add({A: _records(0, 10, 30, 50), B: _records(7, 20, 30, 40)})

    assert _all(merge) == [(0, 10), (1, 20), (0, 30), (1, 30), (1, 40), (0, 50)]


def test_it_waits_for_a_partition_that_has_more():
    merge = Merge(ManualClock().now)
    merge.restart([A, B])
    merge.add({A: _records(0, 10), B: _records(7, 20)})
    merge.drop(B)

    assert merge.waits({A: 1, B: 9}.get)
    assert not merge.waits({A: 1, B: 8}.get)


def test_it_does_not_wait_for_ever():
    clock = ManualClock()
    merge = Merge(clock.now)
    merge.restart([A, B])
    merge.add({A: _records(0, 10)})

    assert merge.waits(lambda _: None)
    clock.advance(1.0)
    assert not merge.waits(lambda _: None)


def test_what_was_read_before_partitions_moved_is_forgotten():
    merge = Merge()
    merge.restart([A, B])
    merge.add({A: _records(0, 10), B: _records(7, 20)})
    merge.restart([B])
    merge.add({B: _records(6, 15)})

    assert _all(merge) == [(1, 15)]


def test_it_waits_for_nobody_once_it_has_read_much():
    merge = Merge(ManualClock().now)
    merge.restart([A, B])
    (large,) = _records(0, 10)
    merge.add({A: [large._replace(value=bytes(2**25))]})

    assert not merge.waits({A: 1, B: 9}.get)
    merge.drop(A)
    assert merge.waits({A: 1, B: 9}.get)
