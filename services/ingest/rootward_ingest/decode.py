"""Remote write 1.0: from the wire to columns. The hot path of ingest.

Nearly every series that Prometheus sends is its labels followed by one sample of fixed size:
value (8 bytes, left out where it is zero) and a time of 6 bytes. Such a series is cut in two
without looking inside: the label bytes are a key into the known series, and the tails of all
series are read as one array. By the rules of protobuf a message that is cut between two fields
reads as the two parts one after the other, so parsing label bytes alone, once, is exact.
Everything else (several samples, other field order, times outside of 1971 to 2109, exemplars,
histograms, unknown fields) is parsed by the generic reader, with the same outcome.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cramjam
import numpy as np

from rootward.errors import TooLarge, UnreadableBody
from rootward_ingest import messages, parts
from rootward_ingest.columns import (
    AT_ONCE_BYTES,
    TAIL,
    TAIL_SIZE,
    ZERO_TAIL,
    ZERO_VALUE,
    Columns,
    chunk_heads,
    merged,
    read_samples,
    readings_of,
    tail_columns,
    tails_like,
    unstored,
)
from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries, Labels
from rootward_ingest.label_bytes import LabelBytes
from rootward_ingest.limits import DEFAULTS, MAX_LABELS, Limits

_SERIES_TAG = 0x0A
_known_labels = LabelBytes()
_FRAMED = b"\xff\x06\x00\x00sNaPpY"
_MOST_ODD = 20_000
"""Series for the generic reader, beyond which it had better read the whole request."""
_MOST_EXPANSION = 22
"""A copy of at most 64 bytes takes 3 bytes of snappy."""


def uncompressed_size(body: bytes) -> int:
    """The size that a snappy block says it has; nothing is decompressed.

    Raises:
        UnreadableBody: framed snappy, no size at all, or one that cannot be true.
    """
    if body.startswith(_FRAMED):
        raise UnreadableBody("framed snappy; remote write uses the snappy block format")
    size = 0
    for place, byte in enumerate(body[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    else:
        raise UnreadableBody("not a snappy block: it does not begin with its size")
    if size > _MOST_EXPANSION * len(body):
        raise UnreadableBody(f"{len(body)} bytes of snappy cannot hold the {size} that they claim")
    return size


def decompressed(body: bytes, limit: int) -> bytes:
    """The content of a snappy block.

    Raises:
        UnreadableBody: not a snappy block.
        TooLarge: it says that it holds more than `limit` bytes; nothing was decompressed.
    """
    size = uncompressed_size(body)
    if size > limit:
        told = f"the body holds {size} bytes, {limit} are allowed; send fewer samples"
        raise TooLarge(told, "decompressed")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise UnreadableBody(f"not a snappy block: {error}") from error


def decode(data: bytes, known: KnownSeries, limits: Limits = DEFAULTS) -> Readings:
    """The samples of a write request, in their order, with the series they belong to.

    Raises:
        UnreadableBody: not a WriteRequest message; nothing was taken from it.
        TooLarge: it holds too many series or parts.
    """
    readings = _uniform(data, known, limits) if len(data) <= AT_ONCE_BYTES else None
    if readings is None:
        parts.require_entries(data, limits.max_parts)
        cut = _cut(data)
        readings = None if cut is None else _assembled(cut, known, limits)
    return decode_generic(data, known, limits) if readings is None else readings


def decode_generic(data: bytes, known: KnownSeries, limits: Limits = DEFAULTS) -> Readings:
    """What `decode` gives, by the generic reader alone.

    Raises:
        UnreadableBody: not a WriteRequest message; nothing was taken from it.
        TooLarge: it holds too many parts.
    """
    parts.require_protobuf(data, messages.WriteRequestMessage, limits.max_parts)
    request = messages.parse_write_request(data)
    if data and not request.timeseries and not request.metadata:
        raise UnreadableBody("a WriteRequest without series or metadata; is it of version 2?")
    read = read_samples(_labelled(request.timeseries), known)
    ignored = Counter(metadata=len(request.metadata)) + unstored(request.timeseries)
    return readings_of(read, ignored)


def _uniform(data: bytes, known: KnownSeries, limits: Limits) -> Readings | None:
    """The readings of a request of ordinary series alone, cut all at once; None for others.

    Where one series ends the next has to begin, and be as long as it says: so the first cut is
    right, and with each one the next.
    """
    tails = tails_like(data, len(data))
    if tails is None or tails.ends[-1] != len(data) or len(tails.ends) > limits.max_parts:
        return None
    starts = np.concatenate(([0], tails.ends[:-1]))
    heads = chunk_heads(tails.words, starts, _SERIES_TAG)
    if heads is None or (heads[1] != tails.ends).any() or (heads[0] >= tails.begins).any():
        return None
    pairs = zip(heads[0].tolist(), tails.begins.tolist(), strict=True)
    slots = known.of_spans("remote_write", [data[a:b] for a, b in pairs], _labels_only)
    return None if slots is None else readings_of(Columns(slots, tails.times, tails.values), {})


@dataclass(frozen=True)
class _Cut:
    """A request cut into label bytes and tails, one each for every ordinary series."""

    spans: list[bytes]
    tails: list[bytes]
    odd: list[tuple[int, bytes]]
    """Series for the generic reader, each with the number of spans that go before it."""


def _cut(data: bytes) -> _Cut | None:
    """The request in pieces, or None where it holds anything but series, or too many odd ones."""
    cut = _Cut([], [], [])
    spans, tails = cut.spans, cut.tails
    position, end = 0, len(data)
    try:
        while position < end:
            if data[position] != _SERIES_TAG:
                return None
            size = data[position + 1]
            start = position + 2
            if size > 0x7F:
                more = data[start]
                start += 1
                size += (more - 1) << 7
                if more > 0x7F:  # 16 KiB of one series: rare enough
                    return None
            position = start + size
            tail = position - TAIL_SIZE
            if tail > start and data[tail : tail + 3] == TAIL:
                spans.append(data[start:tail])
                tails.append(data[tail:position])
            elif data[position - 9 : position - 6] == ZERO_TAIL and position - 9 > start:
                spans.append(data[start : position - 9])
                tails.append(ZERO_VALUE + data[position - 7 : position])
            else:
                cut.odd.append((len(spans), data[start:position]))
                if len(cut.odd) > _MOST_ODD:
                    return None
    except IndexError:
        return None
    return cut if position == end else None


def _assembled(cut: _Cut, known: KnownSeries, limits: Limits) -> Readings | None:
    """The readings of a cut request, or None where a cut was wrong."""
    columns = tail_columns(cut.tails)
    if columns is None:
        return None
    together = b"".join(data for _, data in cut.odd)
    parts.require_protobuf(together, messages.TimeSeriesMessage, limits.max_parts)
    odd = [(place, messages.parse_time_series(data)) for place, data in cut.odd]
    slots = known.of_spans("remote_write", cut.spans, _labels_only)
    if slots is None:
        return None
    read = Columns(slots, *columns)
    if odd:
        places = [place for place, series in odd for _ in series.samples]
        found = read_samples(_labelled(series for _, series in odd), known)
        read = merged(read, found, places)
    return readings_of(read, unstored(series for _, series in odd))


def _labels_only(span: bytes) -> Labels | None:
    """The labels in the encoded bytes of a series; None where there is more than labels."""
    ordinary = _known_labels.read(span)
    if ordinary is not None:
        return ordinary[: MAX_LABELS + 1]
    try:
        series = messages.parse_time_series(span)
    except UnreadableBody:
        return None
    if series.samples or series.exemplars or series.histograms:
        return None
    return _labels(series)


def _labelled(
    request: Iterable[messages.TimeSeries],
) -> Iterator[tuple[Labels, messages.TimeSeries]]:
    return ((_labels(series), series) for series in request)


def _labels(series: messages.TimeSeries) -> Labels:
    return [(label.name, label.value) for label in series.labels[: MAX_LABELS + 1]]
