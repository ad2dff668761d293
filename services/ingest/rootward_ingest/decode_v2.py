"""Remote write 2.0: from the wire to columns.

Nearly every series that Prometheus sends is its label references, one sample of fixed size and
metadata. The references of all series are read as one array and replaced by numbers that stay
the same from request to request; the bytes of these numbers are a key into the known series.
Everything else is parsed by the generic reader, with the same outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rootward.errors import UnreadableBody
from rootward_ingest import messages_v2 as messages
from rootward_ingest import parts
from rootward_ingest.columns import (
    TAIL,
    TAIL_SIZE,
    ZERO_TAIL,
    ZERO_VALUE,
    Columns,
    merged,
    readings_of,
    tail_columns,
)
from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries, Labels, Slot
from rootward_ingest.limits import DEFAULTS, MAX_LABELS, Limits
from rootward_ingest.symbols import SymbolIds

EMPTY_SERIES = "series_without_samples"
"""What a series with neither samples nor histograms counts as, which the format forbids."""
_SYMBOL_TAG, _SERIES_TAG, _REFS_TAG, _METADATA_TAG = 0x22, 0x2A, 0x0A, 0x2A
_MOST_ODD = 20_000
"""Series for the generic reader, beyond which it had better read the whole request."""
_MOST_VARINT = 4
"""Bytes of a reference: more of them than any table of symbols can need here."""


def decode(
    data: bytes, known: KnownSeries, numbers: SymbolIds, limits: Limits = DEFAULTS
) -> Readings:
    """The samples of a request, in their order, with the series they belong to.

    Raises:
        UnreadableBody: not a Request message, or one with a reference to no symbol; nothing
            was taken from it.
        TooLarge: it holds too many symbols, series or parts.
    """
    parts.require_entries(data, limits.max_parts)
    cut = _cut(data)
    readings = None if cut is None else _assembled(cut, known, numbers, limits)
    return decode_generic(data, known, limits) if readings is None else readings


def decode_generic(data: bytes, known: KnownSeries, limits: Limits = DEFAULTS) -> Readings:
    """What `decode` gives, by the generic reader alone.

    Raises:
        UnreadableBody, TooLarge: as `decode`.
    """
    parts.require_protobuf(data, messages.RequestMessage, limits.max_parts)
    request = messages.parse_request(data)
    if data and not request.timeseries and not request.symbols:
        raise UnreadableBody(f"a {messages.NAME} without symbols or series; is it of version 1?")
    labelled = [(_labels(one, request.symbols), one) for one in request.timeseries]
    return readings_of(_read(labelled, known), _unwritten(request.timeseries))


@dataclass(frozen=True)
class _Cut:
    """A request cut into symbols, label references and tails, one each an ordinary series."""

    symbols: list[bytes]
    refs: list[bytes]
    tails: list[bytes]
    metadata: set[bytes]
    odd: list[tuple[int, bytes]]
    """Series for the generic reader, each with the number of ordinary ones before it."""


def _cut(data: bytes) -> _Cut | None:
    """The request in pieces, or None where it holds anything but symbols, then series."""
    cut = _Cut([], [], [], set(), [])
    try:
        position = _cut_symbols(data, cut.symbols)
        whole = _cut_series(data, position, cut) == len(data)
        return cut if whole and len(cut.odd) <= _MOST_ODD else None
    except IndexError:
        return None


def _cut_symbols(data: bytes, symbols: list[bytes]) -> int:
    """Where the symbols end."""
    position, end = 0, len(data)
    while position < end and data[position] == _SYMBOL_TAG:
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


def _cut_series(data: bytes, position: int, cut: _Cut) -> int:
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


def _assembled(
    cut: _Cut, known: KnownSeries, numbers: SymbolIds, limits: Limits
) -> Readings | None:
    """The readings of a cut request, or None where a cut was wrong."""
    columns = tail_columns(cut.tails)
    refs = _references(cut.refs)
    if columns is None or refs is None:
        return None
    ids = numbers.of(cut.symbols)
    _require_symbols(refs, cut, len(ids))
    together = b"".join(data for _, data in cut.odd)
    parts.require_protobuf(together, messages.TimeSeriesMessage, limits.max_parts)
    text = [symbol.decode() for symbol in cut.symbols] if cut.odd else []
    series = [messages.parse_time_series(data) for _, data in cut.odd]
    odd = [(_labels(one, text), one) for one in series]
    read = Columns(_slots(refs, ids, cut, known), *columns)
    if odd:
        places = [
            place for (place, _), one in zip(cut.odd, series, strict=True) for _ in one.samples
        ]
        read = merged(read, _read(odd, known), places)
    return readings_of(read, _unwritten(series))


@dataclass(frozen=True)
class _References:
    """The label references of several series, one behind the other."""

    places: np.ndarray
    """(references,) int64, places among the symbols."""
    bounds: np.ndarray
    """(series + 1,) int64: those of series k stand at `bounds[k]` to `bounds[k + 1]`."""


def _references(packed: Sequence[bytes]) -> _References | None:
    """Packed varints as numbers, or None where one is longer than expected or torn."""
    data = np.frombuffer(b"".join(packed), np.uint8)
    ends_of_series = np.cumsum(np.fromiter(map(len, packed), np.int64, len(packed)))
    last = data < 0x80
    if len(packed) and not last[ends_of_series - 1].all():
        return None
    places = _varints(data, last)
    if places is None:
        return None
    bounds = np.zeros(len(packed) + 1, np.int64)
    bounds[1:] = np.cumsum(last)[ends_of_series - 1]
    return _References(places, bounds)


def _varints(data: np.ndarray, last: np.ndarray) -> np.ndarray | None:
    """Numbers from their bytes, lowest first; `last` says which bytes end one."""
    values = (data & 0x7F).astype(np.int32)
    ready, waiting = last.copy(), np.flatnonzero(~last)
    for _ in range(_MOST_VARINT - 1):  # each time, take the next higher byte in
        done = ready[waiting + 1]
        at, waiting = waiting[done], waiting[~done]
        values[at] |= values[at + 1] << 7
        ready[at] = True
        if not len(waiting):
            return values[np.concatenate(([True], last[:-1]))] if len(data) else values
    return None


def _require_symbols(refs: _References, cut: _Cut, symbols: int) -> None:
    if (np.diff(refs.bounds) % 2).any():
        raise UnreadableBody("a series has a label name without a value")
    if len(refs.places) and refs.places.max() >= symbols:
        raise _no_symbol(int(refs.places.max()), symbols)
    for blob in cut.metadata:
        _require_text(messages.parse_metadata(blob), symbols)


def _require_text(metadata: messages.Metadata, symbols: int) -> None:
    highest = max(metadata.help_ref, metadata.unit_ref)
    if highest >= max(symbols, 1):  # 0 stands for no text, whether there is a table or not
        raise _no_symbol(highest, symbols)


def _no_symbol(place: int, symbols: int) -> UnreadableBody:
    return UnreadableBody(f"a reference to symbol {place}, but there are {symbols}")


def _slots(refs: _References, ids: np.ndarray, cut: _Cut, known: KnownSeries) -> list[Slot]:
    raw = ids[refs.places].tobytes()
    keys = [raw[a:b] for a, b in pairwise((8 * refs.bounds).tolist())]

    symbol_of: dict[int, str] = {}

    def parse(key: bytes) -> Labels:
        if not symbol_of:
            symbols = (symbol.decode() for symbol in cut.symbols)
            symbol_of.update(zip(ids.tolist(), symbols, strict=True))
        text = [symbol_of[number] for number in np.frombuffer(key, np.int64).tolist()]
        return list(zip(text[::2], text[1::2], strict=True))

    slots = known.of_spans("remote_write_v2", keys, parse)
    assert slots is not None  # `parse` never gives None
    return slots


def _labels(series: messages.TimeSeries, symbols: Sequence[str]) -> Labels:
    refs = list(series.labels_refs)
    if len(refs) % 2:
        raise UnreadableBody("a series has a label name without a value")
    if refs and max(refs) >= len(symbols):
        raise _no_symbol(max(refs), len(symbols))
    _require_text(series.metadata, len(symbols))
    text = [symbols[place] for place in refs[: 2 * (MAX_LABELS + 1)]]
    return list(zip(text[::2], text[1::2], strict=True))


def _read(request: Iterable[tuple[Labels, messages.TimeSeries]], known: KnownSeries) -> Columns:
    slots: list[Slot] = []
    times: list[int] = []
    values: list[float] = []
    for labels, series in request:
        if series.samples:
            slots += [known.of_labels(labels)] * len(series.samples)
            times += [sample.timestamp for sample in series.samples]
            values += [sample.value for sample in series.samples]
    return Columns(slots, np.array(times, np.int64), np.array(values, np.float64))


def _unwritten(request: Iterable[messages.TimeSeries]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for series in request:
        counts["exemplar"] += len(series.exemplars)
        counts["histogram"] += len(series.histograms)
        counts[EMPTY_SERIES] += not (series.samples or series.histograms)
    return +counts
