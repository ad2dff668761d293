"""Remote write 2.0: from the wire to columns.

Nearly every series that Prometheus sends is its label references, one sample of fixed size and
metadata. The references of all series are read as one array and replaced by numbers that stay
the same from request to request; the bytes of these numbers are a key into the known series.
Everything else is parsed by the generic reader, with the same outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rootward.errors import UnreadableBody
from rootward_ingest import messages, parts
from rootward_ingest.columns import (
    AT_ONCE_BYTES,
    Columns,
    merged,
    read_samples,
    readings_of,
    tail_columns,
    unstored,
)
from rootward_ingest.cut_v2 import Cut, cut_one_by_one, uniform_cut
from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries, Labels, Slot
from rootward_ingest.limits import DEFAULTS, MAX_LABELS, Limits
from rootward_ingest.symbols import SymbolIds

EMPTY_SERIES = "series_without_samples"
"""What a series with neither samples nor histograms counts as, which the format forbids."""
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
    cut = uniform_cut(data, limits.max_parts) if len(data) <= AT_ONCE_BYTES else None
    if cut is None:
        parts.require_entries(data, limits.max_parts)
        cut = cut_one_by_one(data)
    readings = None if cut is None else _assembled(cut, known, numbers, limits)
    return decode_generic(data, known, limits) if readings is None else readings


def decode_generic(data: bytes, known: KnownSeries, limits: Limits = DEFAULTS) -> Readings:
    """What `decode` gives, by the generic reader alone.

    Raises:
        UnreadableBody, TooLarge: as `decode`.
    """
    parts.require_protobuf(data, messages.RequestV2Message, limits.max_parts)
    request = messages.parse_request_v2(data)
    if data and not request.timeseries and not request.symbols:
        raise UnreadableBody(f"a {messages.V2} without symbols or series; is it of version 1?")
    labelled = [(_labels(one, request.symbols), one) for one in request.timeseries]
    return readings_of(read_samples(labelled, known), _unwritten(request.timeseries))


def _assembled(cut: Cut, known: KnownSeries, numbers: SymbolIds, limits: Limits) -> Readings | None:
    """The readings of a cut request, or None where a cut was wrong."""
    columns = cut.columns or tail_columns(cut.tails)
    refs = _references(cut.refs)
    if columns is None or refs is None:
        return None
    ids = numbers.of(cut.symbols)
    _require_symbols(refs, cut, len(ids))
    together = b"".join(data for _, data in cut.odd)
    parts.require_protobuf(together, messages.TimeSeriesV2Message, limits.max_parts)
    text = [symbol.decode() for symbol in cut.symbols] if cut.odd else []
    series = [messages.parse_time_series_v2(data) for _, data in cut.odd]
    odd = [(_labels(one, text), one) for one in series]
    read = Columns(_slots(refs, ids, cut, known), *columns)
    if odd:
        places = [
            place for (place, _), one in zip(cut.odd, series, strict=True) for _ in one.samples
        ]
        read = merged(read, read_samples(odd, known), places)
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
    ends = np.flatnonzero(last)
    places = _varints(data, ends)
    if places is None:
        return None
    bounds = np.zeros(len(packed) + 1, np.int64)
    bounds[1:] = np.searchsorted(ends, ends_of_series)
    return _References(places, bounds)


def _varints(data: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """Numbers from their bytes, lowest first; the last byte of each stands at one of `ends`."""
    values = data[ends].astype(np.int32)
    sizes = np.diff(ends, prepend=-1)
    most = int(sizes.max(initial=1))
    if most > _MOST_VARINT:
        return None
    for further in range(1, most):
        at = np.flatnonzero(sizes > further)
        values[at] = values[at] << 7 | data[ends[at] - further] & 0x7F
    return values


def _require_symbols(refs: _References, cut: Cut, symbols: int) -> None:
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


def _slots(refs: _References, ids: np.ndarray, cut: Cut, known: KnownSeries) -> list[Slot]:
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


def _labels(series: messages.TimeSeriesV2, symbols: Sequence[str]) -> Labels:
    refs = list(series.labels_refs)
    if len(refs) % 2:
        raise UnreadableBody("a series has a label name without a value")
    if refs and max(refs) >= len(symbols):
        raise _no_symbol(max(refs), len(symbols))
    _require_text(series.metadata, len(symbols))
    text = [symbols[place] for place in refs[: 2 * (MAX_LABELS + 1)]]
    return list(zip(text[::2], text[1::2], strict=True))


def _unwritten(request: Sequence[messages.TimeSeriesV2]) -> Counter[str]:
    empty = sum(not (series.samples or series.histograms) for series in request)
    return unstored(request) + Counter({EMPTY_SERIES: empty})
