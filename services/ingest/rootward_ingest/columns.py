"""Samples of remote write as columns: how both versions read times and values at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries, Labels, Slot
from rootward_ingest.messages import Measured

STALE_BITS = 0x7FF0000000000002
"""The NaN by which Prometheus says that a series ended; other NaN are just not a number."""

TAIL = b"\x12\x10\x09"
"""Sample, 16 bytes: first the value …"""
ZERO_TAIL = b"\x12\x07\x10"
"""Sample, 7 bytes: only the time."""
ZERO_VALUE = TAIL + bytes(8)
"""What makes an ordinary tail of a sample that leaves its zero out."""
TAIL_SIZE, _ZERO_SIZE = 18, 9
_TIME_TAG, _TIME_AT, _TIME_SIZE = 0x10, 12, 6
_TAIL_WORD, _ZERO_WORD = int.from_bytes(TAIL, "little"), int.from_bytes(ZERO_TAIL, "little")
_TIME_MASK, _TIME_FORM = np.uint64(0x808080808080FF00), np.uint64(0x0080808080801000)
"""Of the last eight bytes of a sample: the tag of its time, then six bytes of a varint."""


@dataclass(frozen=True)
class Columns:
    """Samples in the order of the request: sample k belongs to `slots[k]`."""

    slots: list[Slot]
    times: np.ndarray
    """Unix milliseconds, int64."""
    values: np.ndarray


def tail_columns(tails: list[bytes]) -> tuple[np.ndarray, np.ndarray] | None:
    """Times and values of tails of 18 bytes, or None where one is not what it looks like."""
    rows = np.frombuffer(b"".join(tails), np.uint8).reshape(len(tails), TAIL_SIZE)
    varint = rows[:, _TIME_AT:]
    more = varint >= 0x80
    if not (
        (rows[:, _TIME_AT - 1] == _TIME_TAG).all() and more[:, :-1].all() and not more[:, -1].any()
    ):
        return None
    shifts = np.arange(0, 7 * _TIME_SIZE, 7)
    times = ((varint & 0x7F).astype(np.int64) << shifts).sum(axis=1)
    values = np.ascontiguousarray(rows[:, 3:11]).view("<f8")[:, 0]
    return times, values


@dataclass(frozen=True)
class Tails:
    """Samples found in a body of which each is an ordinary one, in its order."""

    words: np.ndarray
    """Word k is the eight bytes from byte k on, lowest first."""
    begins: np.ndarray
    """(samples,) int64: where the field of a sample begins."""
    ends: np.ndarray
    """(samples,) int64: behind its last byte."""
    times: np.ndarray
    """Unix milliseconds, int64."""
    values: np.ndarray


AT_ONCE_BYTES = 8 * 2**20
"""Larger requests are cut one by one: what is made of the bytes at once is 13 times as large."""


def tails_like(data: bytes, end: int, start: int = 0) -> Tails | None:
    """Every ordinary sample behind `start` whose time is near that of the one that ends at `end`.

    Near times have their two highest bytes in common, which text has not: one has its high bit
    set. So all of them are found at once; whether they are all that there is, and samples at
    all, is for the caller to see. None where there is not one.
    """
    if not TAIL_SIZE < end <= len(data):
        return None
    text = np.frombuffer(data, np.uint8)
    words = np.ndarray(len(data) - 7, "<u8", data, strides=(1,))
    ends = np.flatnonzero(text[start:-1] == text[end - 2]) + (start + 2)
    ends = ends[(text[ends - 1] == text[end - 1]) & (ends > TAIL_SIZE)]
    ends = ends[words[ends - 8] & _TIME_MASK == _TIME_FORM]
    full = words[ends - TAIL_SIZE] & 0xFFFFFF == _TAIL_WORD
    zero = ~full & (words[ends - _ZERO_SIZE] & 0xFFFFFF == _ZERO_WORD)
    ends, full = ends[full | zero], full[full | zero]
    if not len(ends):
        return None
    values = np.where(full, words[ends - 15], np.uint64(0)).view(np.float64)
    begins = ends - np.where(full, TAIL_SIZE, _ZERO_SIZE)
    return Tails(words, begins, ends, _times(words[ends - 8]), values)


def _times(words: np.ndarray) -> np.ndarray:
    """Varints in the upper six bytes."""
    times = words >> 16 & 0x7F
    for place in range(1, _TIME_SIZE):
        times |= (words >> (16 + 8 * place) & 0x7F) << 7 * place
    return times.astype(np.int64)


def chunk_heads(
    words: np.ndarray, starts: np.ndarray, tag: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Where the contents of fields begin and end; None unless all have this tag of one byte.

    A field of 16 KiB and more is given a wrong end.
    """
    if starts[-1] >= len(words):
        return None
    word = words[starts]
    if (word & 0xFF != tag).any():
        return None
    low, high = (word >> 8 & 0xFF).astype(np.int64), (word >> 16 & 0xFF).astype(np.int64)
    short = low < 0x80
    begins = starts + np.where(short, 2, 3)
    size = np.where(short, low, (low & 0x7F) | high << 7)
    return begins, begins + np.where(short | (high < 0x80), size, -1)


def read_samples(request: Iterable[tuple[Labels, Measured]], known: KnownSeries) -> Columns:
    """The samples of series that the generic reader has read, with their labels."""
    slots: list[Slot] = []
    times: list[int] = []
    values: list[float] = []
    for labels, series in request:
        if series.samples:
            slots += [known.of_labels(labels)] * len(series.samples)
            times += [sample.timestamp for sample in series.samples]
            values += [sample.value for sample in series.samples]
    return Columns(slots, np.array(times, np.int64), np.array(values, np.float64))


def unstored(request: Iterable[Measured]) -> Counter[str]:
    """What series hold beside samples, by kind."""
    counts: Counter[str] = Counter()
    for series in request:
        counts["exemplar"] += len(series.exemplars)
        counts["histogram"] += len(series.histograms)
    return +counts


def merged(ordinary: Columns, odd: Columns, places: list[int]) -> Columns:
    """Both in the order of the request; odd sample k goes before ordinary sample `places[k]`."""
    order = np.argsort(
        np.concatenate((np.arange(len(ordinary.slots)), np.array(places, np.float64) - 0.5)),
        kind="stable",
    )
    slots = ordinary.slots + odd.slots
    return Columns(
        [slots[k] for k in order.tolist()],
        np.concatenate((ordinary.times, odd.times))[order],
        np.concatenate((ordinary.values, odd.values))[order],
    )


def readings_of(read: Columns, ignored: Mapping[str, int]) -> Readings:
    """Readings in seconds; every NaN becomes the plain one, staleness markers are counted."""
    values = read.values.copy()
    stale = int(np.count_nonzero(values.view(np.uint64) == STALE_BITS))
    values[np.isnan(values)] = np.nan
    return Readings(read.slots, read.times / 1000.0, values, stale, ignored)
