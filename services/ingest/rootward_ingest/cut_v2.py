"""Remote write 2.0: a request cut into symbols, label references and samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward_ingest.columns import (
    TAIL,
    TAIL_SIZE,
    ZERO_TAIL,
    ZERO_VALUE,
    Tails,
    chunk_heads,
    tails_like,
)

_SYMBOL_TAG, _SERIES_TAG, _REFS_TAG, _METADATA_TAG = 0x22, 0x2A, 0x0A, 0x2A
_MOST_ODD = 20_000
"""Series for the generic reader, beyond which it had better read the whole request."""


@dataclass(frozen=True)
class Cut:
    """A request cut into symbols, label references and tails, one each an ordinary series."""

    symbols: list[bytes]
    refs: list[bytes]
    tails: list[bytes]
    metadata: set[bytes]
    odd: list[tuple[int, bytes]]
    """Series for the generic reader, each with the number of ordinary ones before it."""
    columns: tuple[np.ndarray, np.ndarray] | None = None
    """Times and values, where they were read without the tails."""


def uniform_cut(data: bytes, most: int) -> Cut | None:
    """The pieces of a request of ordinary series that all have metadata, or all none; else None.

    Each series has to begin where the one before it ends, and to be as long as it says: so the
    first cut is right, and with each one the next. Over `most` symbols or series are no request
    for this reader, either.
    """
    symbols: list[bytes] = []
    try:
        position = _cut_symbols(data, symbols, most)
        first, described = _first_sample(data, position)
    except IndexError:
        return None
    tails = tails_like(data, first, position)
    if tails is None or len(tails.ends) > most:
        return None
    text = np.frombuffer(data, np.uint8)
    ends = _series_ends(text, tails, described)
    if ends is None or ends[-1] != len(data):
        return None
    heads = chunk_heads(tails.words, np.concatenate(([position], ends[:-1])), _SERIES_TAG)
    if heads is None or (heads[1] != ends).any() or not _refs_fill(text, heads[0], tails):
        return None
    refs = zip((heads[0] + 2).tolist(), tails.begins.tolist(), strict=True)
    about = zip((tails.ends + 2).tolist(), ends.tolist(), strict=True) if described else ()
    return Cut(
        symbols,
        [data[a:b] for a, b in refs],
        [],
        {data[a:b] for a, b in about},
        [],
        (tails.times, tails.values),
    )


def _first_sample(data: bytes, position: int) -> tuple[int, bool]:
    """Where the first sample ends, and whether anything follows it in its series.

    Raises:
        IndexError: the body ends before.
    """
    size, start = data[position + 1], position + 2
    if size > 0x7F:
        size, start = size & 0x7F | data[start] << 7, start + 1
    sample = start + 2 + data[start + 1]
    end = sample + 2 + data[sample + 1]
    return end, end < start + size


def _series_ends(text: np.ndarray, tails: Tails, described: bool) -> np.ndarray | None:
    """Where each series ends: with its sample, or with the metadata behind it."""
    if not described:
        return tails.ends
    if tails.ends[-1] + 1 >= len(text):
        return None
    sizes = text[tails.ends + 1].astype(np.int64)
    if (text[tails.ends] != _METADATA_TAG).any() or sizes.max() > 0x7F:
        return None
    ends: np.ndarray = tails.ends + 2 + sizes
    return ends


def _refs_fill(text: np.ndarray, starts: np.ndarray, tails: Tails) -> bool:
    """Whether each series begins with references, and with no more than them up to its sample."""
    if starts[-1] + 1 >= len(text):
        return False
    sizes = text[starts + 1].astype(np.int64)
    ordinary = (text[starts] == _REFS_TAG) & (sizes > 0) & (sizes < 0x80)
    return bool((ordinary & (starts + 2 + sizes == tails.begins)).all())


def cut_one_by_one(data: bytes) -> Cut | None:
    """The request in pieces, or None where it holds anything but symbols, then series."""
    cut = Cut([], [], [], set(), [])
    try:
        position = _cut_symbols(data, cut.symbols, len(data))
        whole = _cut_series(data, position, cut) == len(data)
        return cut if whole and len(cut.odd) <= _MOST_ODD else None
    except IndexError:
        return None


def _cut_symbols(data: bytes, symbols: list[bytes], most: int) -> int:
    """Where the symbols end, or the first so many of them."""
    position, end = 0, len(data)
    while position < end and data[position] == _SYMBOL_TAG and len(symbols) < most:
        size = data[position + 1]
        start = position + 2
        if size > 0x7F:
            more = data[start]
            start += 1
            size += (more - 1) << 7
            if more > 0x7F:  # 16 KiB of one symbol: rare enough
                return position
        position = start + size
        symbols.append(data[start:position])
    return position


def _cut_series(data: bytes, position: int, cut: Cut) -> int:
    """Where the series end: at something else, or behind the end where the last one is torn."""
    refs, tails, metadata, end = cut.refs, cut.tails, cut.metadata, len(data)
    while position < end and data[position] == _SERIES_TAG:
        size = data[position + 1]
        start = position + 2
        if size > 0x7F:
            more = data[start]
            start += 1
            size += (more - 1) << 7
            if more > 0x7F:
                return position
        position = start + size
        tail = start + 2 + data[start + 1]
        if data[start] != _REFS_TAG or not 0 < data[start + 1] < 0x80:
            cut.odd.append((len(refs), data[start:position]))
            continue
        if data[tail : tail + 3] == TAIL:
            rest = tail + TAIL_SIZE
            sample = data[tail:rest]
        else:
            rest = tail + 9
            sample = ZERO_VALUE + data[tail + 2 : rest]
            if data[tail : tail + 3] != ZERO_TAIL:
                rest = -1
        if rest != position:
            if not (
                0 < rest < position - 1
                and data[rest] == _METADATA_TAG
                and data[rest + 1] == position - rest - 2 < 0x80
            ):
                cut.odd.append((len(refs), data[start:position]))
                continue
            metadata.add(data[rest + 2 : position])
        refs.append(data[start + 2 : tail])
        tails.append(sample)
    return position
