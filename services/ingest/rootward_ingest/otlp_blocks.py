"""OTLP in protobuf: what one resource sends again, recognised by its bytes.

A sender exports the same series each time: all that changes from one export to the next are times
and values, which take eight bytes wherever they stand. So what a resource sends, a block, is
compared with the template of an earlier one with those bytes left out; where nothing else differs,
times and values are picked from their places and no message is built. A block is made a template
the second time its like is seen, and only if what is picked is what the generic reader read.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from rootward.errors import UnreadableBody
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import Limits
from rootward_ingest.otlp_places import Places, places_of
from rootward_ingest.otlp_points import WIRE, Decoded, Rows, Spelling, assembled, rows_of
from rootward_ingest.parts import require_entries, require_protobuf

MOST_BYTES = 64 * 2**20
"""Bytes of templates that are remembered."""
_RESOURCE_TAG = 0x0A
_PADDING = 8
_MOST_ALIKE = 4
"""Templates of one resource and size: a number that is zero may be left out here or there."""
_MOST_TRIES = 16
"""How often blocks alike are tried to be made templates, for that costs as much as reading."""
_COST = 4
"""Bytes of a template for each byte of its block, roughly."""

Key = tuple[int, bytes]
"""Size of a block and how it begins, which is with its resource."""


@dataclass(frozen=True, eq=False)
class Template:
    """A block without times and values, and where these stand."""

    text: np.ndarray
    """The block and eight bytes more, zero wherever anything may change."""
    places: Places
    spellings: Sequence[Spelling]
    points: np.ndarray
    """(samples,) the number of the data point of each sample."""
    total: int

    def read(self, block: bytes) -> tuple[np.ndarray, np.ndarray] | None:
        """Times and values of the samples of a block; None where it is not like the template."""
        words, text = _words(block)
        found = self.places.read(words)
        words[self.places.changing] = 0
        return found if np.array_equal(text, self.text) else None


class Blocks:
    """Reads requests block by block; safe to use from several threads."""

    def __init__(self) -> None:
        self._templates: dict[Key, list[Template]] = {}
        self._learnt: Counter[Key] = Counter()
        """How often the generic reader has read blocks like this."""
        self._bytes = 0
        self._lock = threading.Lock()

    def decode(
        self, content: bytes, known: KnownSeries, limits: Limits, cover: Callable[[int], None]
    ) -> Decoded:
        """The samples of a request, with the series they belong to.

        `cover` is told how many parts are about to be built.

        Raises:
            UnreadableBody: not an ExportMetricsServiceRequest.
            TooLarge: it holds too many parts or samples.
        """
        require_entries(content, limits.max_parts)
        blocks = _split(content)
        if blocks is None:
            cover(require_protobuf(content, ExportMetricsServiceRequest, limits.max_parts))
            return assembled([_generic(content, limits)], known, limits.max_samples)
        known_ones = [self._known(block) for block in blocks]
        unknown = b"".join(
            _headed(block) for block, rows in zip(blocks, known_ones, strict=True) if rows is None
        )
        cover(require_protobuf(unknown, ExportMetricsServiceRequest, limits.max_parts))
        rows = [
            self._read(block, known, limits) if found is None else found
            for block, found in zip(blocks, known_ones, strict=True)
        ]
        return assembled(rows, known, limits.max_samples)

    def _known(self, block: bytes) -> Rows | None:
        for template in self._templates.get(_key(block), ()):
            found = template.read(block)
            if found is not None:
                return Rows(template.spellings, *found, template.points, template.total)
        return None

    def _read(self, block: bytes, known: KnownSeries, limits: Limits) -> Rows:
        """What the generic reader makes of a block, which becomes a template if it is uniform."""
        rows = _generic(_headed(block), limits)
        key = _key(block)
        with self._lock:
            if self._bytes > MOST_BYTES:
                self._templates, self._learnt, self._bytes = {}, Counter(), 0
            self._learnt[key] += 1
            times = self._learnt[key]
            self._bytes += len(key[1]) if times == 1 else 0
        spellings = known.remembered(WIRE, rows.spellings)
        if spellings is None or not 1 < times <= _MOST_TRIES:
            return rows
        rows.spellings = spellings
        if template := _template(block, rows):
            with self._lock:
                self._bytes += _COST * len(block)
                self._templates[key] = [template, *self._templates.get(key, [])][:_MOST_ALIKE]
        return rows


def _generic(content: bytes, limits: Limits) -> Rows:
    try:
        request = ExportMetricsServiceRequest.FromString(content)
    except DecodeError as error:
        raise UnreadableBody(f"not an ExportMetricsServiceRequest: {error}") from error
    return rows_of(request, limits.max_samples)


def _template(block: bytes, rows: Rows) -> Template | None:
    places = None if rows.unusual else places_of(block)
    if places is None or len(places.times) != len(rows.spellings):
        return None
    words, text = _words(block)
    read = places.read(words)
    if read is None or not _same(read, (np.array(rows.times), np.array(rows.values))):
        return None
    words[places.changing] = 0
    return Template(text, places, tuple(rows.spellings), np.array(rows.points), rows.total)


def _same(read: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...]) -> bool:
    return all(map(partial(np.array_equal, equal_nan=True), read, expected))


def _words(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    """A copy of a block, as words that begin at each byte, and as bytes; with eight zeros."""
    text = np.zeros(len(block) + _PADDING, np.uint8)
    text[: len(block)] = np.frombuffer(block, np.uint8)
    return np.ndarray(len(block) + 1, "<u8", text, strides=(1,)), text


def _split(content: bytes) -> list[bytes] | None:
    """The resources of a request; None where it holds anything else, or is torn."""
    blocks: list[bytes] = []
    position, end = 0, len(content)
    try:
        while position < end:
            if content[position] != _RESOURCE_TAG:
                return None
            start, position = _sized(content, position + 1)
            blocks.append(content[start:position])
    except IndexError:
        return None
    return blocks if position == end else None


def _sized(content: bytes, position: int) -> tuple[int, int]:
    """Where the content of a field begins and ends whose size stands at a position."""
    size = 0
    for shift in range(0, 35, 7):
        byte = content[position]
        position += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return position, position + size
    raise IndexError


def _headed(block: bytes) -> bytes:
    size, head = len(block), bytearray((_RESOURCE_TAG,))
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes((*head, size)) + block


def _key(block: bytes) -> Key:
    if not block or block[0] != _RESOURCE_TAG:
        return len(block), b""
    try:
        return len(block), block[: _sized(block, 1)[1]]
    except IndexError:
        return len(block), b""
