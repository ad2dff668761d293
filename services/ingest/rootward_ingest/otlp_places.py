"""OTLP in protobuf: where times and values stand in what a resource sends.

Gauges, cumulative sums and cumulative explicit histograms are understood, as SDKs encode them:
their numbers are of fixed size. Anything else makes a block that is not uniform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

_VARINT, _FIXED64, _SIZED = 0, 1, 2
_CUMULATIVE = 2
_NANO = 1e9
_MOST_COUNT = 2**50
"""So many in each of 2,048 buckets still fit into a word."""
_START, _TIME = 0x11, 0x19
_DOUBLE, _SIGNED, _COUNT, _BUCKET = range(4)
"""What a word is: a float, an integer, a number of things, a number to add to those before."""

Field = tuple[int, int, int]
"""Tag, then where the content begins and ends."""


class NotUniform(Exception):
    """A block holds what only the generic reader understands."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where the words of the samples of a block stand, in the order of the generic reader."""

    changing: np.ndarray
    """Where any word stands that may differ from block to block."""
    times: np.ndarray
    """(samples,) of the time of each sample."""
    terms: np.ndarray
    """(samples,) of the number that a sample is made of."""
    kinds: np.ndarray
    """(samples,) what that word is."""
    firsts: np.ndarray
    """(samples,) the first sample whose number belongs to the sum; the sample itself if none."""

    def read(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Times in Unix seconds, and values; None where counts are too large to be added."""
        times = words[self.times].astype(np.float64) / _NANO
        bits = words[self.terms]
        values = bits.view(np.float64).copy()
        signed = self.kinds == _SIGNED
        values[signed] = bits[signed].view(np.int64)
        counted = self.kinds >= _COUNT
        if counted.any():
            counts = np.where(counted, bits, np.uint64(0))
            if counts.max() > _MOST_COUNT:
                return None
            sums = np.cumsum(np.where(self.kinds == _BUCKET, counts, np.uint64(0)))
            below = sums - sums[self.firsts] + counts[self.firsts]
            values[counted] = below[counted]
        return times, values


@dataclass
class _Found:
    changing: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    terms: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)

    def add(self, time: int, term: int, kind: int, first: int | None = None) -> None:
        self.firsts.append(len(self.times) if first is None else first)
        self.times.append(time)
        self.terms.append(term)
        self.kinds.append(kind)


def places_of(block: bytes) -> Places | None:
    """Where times and values stand; None for a block that is not uniform."""
    found = _Found()
    try:
        for tag, start, end in _fields(block, 0, len(block)):
            if tag == 0x12:
                _scope(block, start, end, found)
    except (NotUniform, IndexError):
        return None
    columns = (found.changing, found.times, found.terms, found.kinds, found.firsts)
    return Places(*(np.array(column, np.int64) for column in columns))


def _fields(data: bytes, position: int, end: int) -> Iterator[Field]:
    """The fields of a message; raises NotUniform for one that is torn or has a tag of two bytes."""
    while position < end:
        tag = data[position]
        kind, position = tag & 7, position + 1
        if tag > 0x7F or kind not in (_VARINT, _FIXED64, _SIZED):
            raise NotUniform
        number = 0
        if kind != _FIXED64:
            number, position = _varint(data, position)
        size = {_VARINT: 0, _FIXED64: 8, _SIZED: number}[kind]
        yield tag, number if kind == _VARINT else position, position + size
        position += size
    if position != end:
        raise NotUniform


def _varint(data: bytes, position: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
    raise NotUniform


def _scope(data: bytes, start: int, end: int, found: _Found) -> None:
    for tag, begin, stop in _fields(data, start, end):
        if tag == 0x12:
            _metric(data, begin, stop, found)


def _metric(data: bytes, start: int, end: int, found: _Found) -> None:
    kinds = {0x2A: _number, 0x3A: _number, 0x4A: _histogram}
    every = list(_fields(data, start, end))
    told = [one for one in every if one[0] in (0x2A, 0x3A, 0x4A, 0x52, 0x5A)]
    if len(told) != 1 or told[0][0] not in kinds:
        raise NotUniform
    tag, begin, stop = told[0]
    temporality = 0
    for inner, first, last in _fields(data, begin, stop):
        if inner == 0x0A:
            kinds[tag](_once(data, first, last), len(data), found)
        elif inner == 0x10:
            temporality = first
    if tag != 0x2A and temporality != _CUMULATIVE:
        raise NotUniform


def _once(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """The fields of a data point but its attributes, each of which stands there once."""
    fields: dict[int, tuple[int, int]] = {}
    for tag, begin, stop in _fields(data, start, end):
        if tag in fields and tag not in (0x3A, 0x4A):
            raise NotUniform
        fields[tag] = begin, stop
    return fields


def _number(point: dict[int, tuple[int, int]], nowhere: int, found: _Found) -> None:
    """A gauge or a sum; `nowhere` is where eight zeros stand, for what was left out."""
    terms = point.keys() & {0x21, 0x31}
    if point.keys() - {_START, _TIME, 0x21, 0x31, 0x3A} or len(terms) != 1:
        raise NotUniform
    (term,) = terms
    found.changing += [point[tag][0] for tag in point if tag != 0x3A]
    time = point.get(_TIME, (nowhere, 0))[0]
    found.add(time, point[term][0], _DOUBLE if term == 0x21 else _SIGNED)


def _histogram(point: dict[int, tuple[int, int]], nowhere: int, found: _Found) -> None:
    fixed = {_START, _TIME, 0x21, 0x29, 0x59, 0x61}
    if point.keys() - fixed - {0x32, 0x3A, 0x4A}:
        raise NotUniform
    begin, end = point.get(0x32, (0, 0))
    buckets = range(begin, end, 8)
    found.changing += [point[tag][0] for tag in point if tag in fixed]
    found.changing += buckets
    time = point.get(_TIME, (nowhere, 0))[0]
    found.add(time, point.get(0x21, (nowhere, 0))[0], _COUNT)
    if 0x29 in point:
        found.add(time, point[0x29][0], _DOUBLE)
    first = len(found.times)
    for bucket in buckets:
        found.add(time, bucket, _BUCKET, first)
