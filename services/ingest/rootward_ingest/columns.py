"""Samples of remote write as columns: how both versions read times and values at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rootward_ingest.intake import Readings
from rootward_ingest.known_series import Slot

STALE_BITS = 0x7FF0000000000002
"""The NaN by which Prometheus says that a series ended; other NaN are just not a number."""

TAIL = b"\x12\x10\x09"
"""Sample, 16 bytes: first the value …"""
ZERO_TAIL = b"\x12\x07\x10"
"""Sample, 7 bytes: only the time."""
ZERO_VALUE = TAIL + bytes(8)
"""What makes an ordinary tail of a sample that leaves its zero out."""
TAIL_SIZE = 18
_TIME_TAG, _TIME_AT, _TIME_SIZE = 0x10, 12, 6


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
