"""Chunks: samples as compressed columns, and how they fall on a grid.

Times are whole microseconds in here. Unix seconds of today are 2.4e-7 apart as float64, so
nothing finer could be told from rounding: 1669.0000001 s and 1669 s are the same time. It makes
"the same time", "before" and "in this row" exact, whatever arithmetic made the time.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cramjam
import numpy as np

from rootward.errors import InvalidInput, UnreadableBody

_HEAD = struct.Struct("<4sIII")
"""Magic with the format version, series, samples, CRC-32 of what follows."""
_CHANGED, _AS_IS, _PACKED = b"RWC1", b"RWC2", b"RWA1"
_LATEST_UNIX = 9e12
"""Microseconds beyond it do not fit into 64 bits."""


@dataclass(frozen=True, eq=False)
class Columns:
    """A batch as it came in, ids in place of series: sample k belongs to `ids[index[k]]`."""

    ids: np.ndarray
    """(series,) int64."""
    index: np.ndarray
    """(samples,) int32."""
    times: np.ndarray
    """(samples,) int64, microseconds."""
    values: np.ndarray
    """(samples,) float64."""

    @property
    def plain(self) -> bool:
        """Whether sample k is the only one of series k, as it is in a scrape."""
        same = len(self.index) == len(self.ids)
        return same and bool((self.index == np.arange(len(self.ids))).all())

    def newest(self) -> np.ndarray:
        """(series,) int64, the newest sample of each series; every series has one."""
        if self.plain:
            return self.times
        newest = np.full(len(self.ids), np.iinfo(np.int64).min)
        np.maximum.at(newest, self.index, self.times)
        return newest


@dataclass(frozen=True, eq=False)
class Chunk:
    """Samples in order of (series id, time), each (series, time) once."""

    ids: np.ndarray
    """(series,) int64, ascending."""
    counts: np.ndarray
    """(series,) int64, samples of each series."""
    times: np.ndarray
    """(samples,) int64, microseconds."""
    values: np.ndarray
    """(samples,) float64."""

    def __len__(self) -> int:
        return len(self.times)

    @property
    def last_times(self) -> np.ndarray:
        """(series,) int64, the newest sample of each series."""
        return self.times[np.cumsum(self.counts) - 1]

    @property
    def last_values(self) -> np.ndarray:
        """(series,) float64, the value of the newest sample of each series."""
        return self.values[np.cumsum(self.counts) - 1]


def micros(times: np.ndarray) -> np.ndarray:
    """Unix seconds to the nearest whole microsecond, int64.

    Raises:
        InvalidInput: a time is not finite, or out of all bounds.
    """
    seconds = np.asarray(times, np.float64)
    if not np.all(np.abs(seconds) <= _LATEST_UNIX):
        raise InvalidInput("a sample has a time that is no Unix time in seconds")
    return np.rint(seconds * 1e6).astype(np.int64)


def chunk_of(ids: np.ndarray, times: np.ndarray, values: np.ndarray) -> Chunk:
    """A chunk from columns in order of arrival: of equal (id, time) the first one stays."""
    order = np.lexsort((times, ids))  # stable: equal keys keep their order of arrival
    ids, times, values = ids[order], times[order], values[order]
    first = np.ones(len(ids), bool)
    first[1:] = (ids[1:] != ids[:-1]) | (times[1:] != times[:-1])
    unique, counts = np.unique(ids[first], return_counts=True)
    return Chunk(unique.astype(np.int64), counts.astype(np.int64), times[first], values[first])


def packed(columns: Columns) -> bytes:
    """Columns as bytes, in their order; quick rather than small, for they are merged soon."""
    plain = columns.plain
    index = b"" if plain else columns.index.astype("<i4").tobytes()
    parts = (
        np.diff(columns.ids, prepend=0).tobytes(),
        np.diff(columns.times, prepend=0).tobytes(),
        _shuffled(np.ascontiguousarray(columns.values)),
        index,
    )
    body = bytes(cramjam.lz4.compress_block(b"".join(parts)))
    head = (_PACKED, len(columns.ids), len(columns.times), zlib.crc32(body))
    return _HEAD.pack(*head) + body


def columns_of(data: bytes) -> Columns:
    """The columns that `packed` wrote.

    Raises:
        UnreadableBody: another version, or damaged.
    """
    magic, series, samples, body = _checked(data)
    if magic != _PACKED:
        raise UnreadableBody(f"not a batch as it came in: starts with {magic!r}")
    plain = _plain(cramjam.lz4.decompress_block, body)
    cuts = np.cumsum([8 * series, 8 * samples, 8 * samples])
    ids, times, values, index = np.split(plain, cuts)
    if len(index) != 4 * samples and not (len(index) == 0 and samples == series):
        raise UnreadableBody("a stored batch is torn")
    return Columns(
        np.cumsum(ids.view(np.int64)),
        index.view("<i4") if len(index) else np.arange(samples, dtype=np.int32),
        np.cumsum(times.view(np.int64)),
        _unshuffled(values).view(np.float64),
    )


def merged(chunks: Sequence[Chunk]) -> Chunk:
    """One chunk from several, given in order of arrival."""
    return chunk_of(
        np.concatenate([np.repeat(chunk.ids, chunk.counts) for chunk in chunks]),
        np.concatenate([chunk.times for chunk in chunks]),
        np.concatenate([chunk.values for chunk in chunks]),
    )


def encoded(chunk: Chunk, level: int = 3) -> bytes:
    """The chunk as bytes: zstd of differences, sorted by byte; `level` is that of zstd.

    Values are written twice, and the smaller one is taken: as bits that changed, sorted by byte,
    which suits what moves slowly, or as they are, which suits what comes back to old values.
    """
    bits = chunk.values.view(np.uint64)
    changed = bits ^ np.concatenate((np.zeros(1, np.uint64), bits[:-1]))
    columns = (np.diff(chunk.ids, prepend=0), chunk.counts, np.diff(chunk.times, prepend=0))
    head = b"".join(map(_shuffled, columns))
    bodies = {
        magic: bytes(cramjam.zstd.compress(head + values, level=level))
        for magic, values in ((_CHANGED, _shuffled(changed)), (_AS_IS, bits.tobytes()))
    }
    magic = min(bodies, key=lambda one: len(bodies[one]))
    body = bodies[magic]
    return _HEAD.pack(magic, len(chunk.ids), len(chunk), zlib.crc32(body)) + body


def decoded(data: bytes) -> Chunk:
    """The chunk that `encoded` wrote, or that a packed batch makes.

    Raises:
        UnreadableBody: another version, or damaged.
    """
    magic, series, samples, body = _checked(data)
    if magic == _PACKED:
        columns = columns_of(data)
        return chunk_of(columns.ids[columns.index], columns.times, columns.values)
    plain = _plain(cramjam.zstd.decompress, body)
    cuts = np.cumsum([8 * series, 8 * series, 8 * samples])
    *heads, values = np.split(plain, cuts)
    ids, counts, times = map(_unshuffled, heads)
    changed = magic == _CHANGED
    bits = np.bitwise_xor.accumulate(_unshuffled(values)) if changed else values.view(np.uint64)
    return Chunk(
        np.cumsum(ids.view(np.int64)),
        counts.view(np.int64),
        np.cumsum(times.view(np.int64)),
        bits.view(np.float64),
    )


def _checked(data: bytes) -> tuple[bytes, int, int, memoryview]:
    """Magic, series, samples and the compressed columns, which are as they were written."""
    try:
        magic, series, samples, crc = _HEAD.unpack_from(data)
    except struct.error as error:
        raise UnreadableBody(f"a stored chunk is torn: {error}") from error
    body = memoryview(data)[_HEAD.size :]
    if magic not in (_CHANGED, _AS_IS, _PACKED) or zlib.crc32(body) != crc:
        raise UnreadableBody("a stored chunk is damaged or of another version")
    return magic, series, samples, body


def _plain(decompress: Callable[[memoryview], cramjam.Buffer], body: memoryview) -> np.ndarray:
    try:
        return np.frombuffer(bytes(decompress(body)), np.uint8)
    except cramjam.DecompressionError as error:
        raise UnreadableBody(f"a stored chunk is damaged: {error}") from error


def _shuffled(column: np.ndarray) -> bytes:
    return column.view(np.uint8).reshape(-1, 8).T.tobytes()


def _unshuffled(part: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(part.reshape(8, -1).T).view(np.uint64).ravel()


@dataclass(eq=False)
class Grid:
    """Rows at `edges`; row k takes the last sample of (edge k-1, edge k], the first of equals."""

    edges: np.ndarray
    """(rows,) int64 microseconds, ascending."""
    start: int
    """Samples at or before it lie before row 0."""
    columns: np.ndarray
    """(ids,) int64: the column of each series id, -1 for those not asked for."""
    width: int

    def __post_init__(self) -> None:
        cells = len(self.edges) * self.width
        self._times = np.full(cells, np.iinfo(np.int64).min)
        self._values = np.full(cells, np.nan)

    def add(self, chunk: Chunk) -> None:
        """Put the samples of a chunk on the grid; chunks come in order of arrival."""
        known = chunk.ids < len(self.columns)
        column = np.full(len(chunk.ids), -1)
        column[known] = self.columns[chunk.ids[known]]
        inside = (chunk.times > self.start) & (chunk.times <= self.edges[-1])
        inside &= np.repeat(column >= 0, chunk.counts)
        times = chunk.times[inside]
        row = np.searchsorted(self.edges, times)
        cell = np.repeat(column, chunk.counts)[inside] * len(self.edges) + row
        last = np.ones(len(cell), bool)
        last[:-1] = cell[1:] != cell[:-1]  # a chunk is in order of time within a series
        cell, times = cell[last], times[last]
        later = times > self._times[cell]
        self._times[cell[later]] = times[later]
        self._values[cell[later]] = chunk.values[inside][last][later]

    @property
    def values(self) -> np.ndarray:
        """(rows, columns) float64, NaN where there is no sample."""
        return self._values.reshape(self.width, len(self.edges)).T
