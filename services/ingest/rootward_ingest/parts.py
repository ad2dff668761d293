"""How many parts a body holds, told from its bytes before anything is built of them.

A part is a message, a text or a list entry: what costs memory and time however few bytes it takes.
An empty message is two bytes of protobuf and about a hundred in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from rootward.errors import TooLarge

PART_BYTES = 100
"""What a part takes in memory beside its bytes."""
PACKED = 16
"""Bytes of packed numbers that count as a part; each byte may be a number."""
_PIECE = 2**20
_LENGTH = 2
_OPAQUE = cast(Descriptor, object())
"""Stands for a field whose bytes are taken as they are."""
_TAGS = bytes(
    tag for number in range(1, 16) for tag in (number << 3 | _LENGTH, number << 3 | _LENGTH | 0x80)
)
"""Bytes that the tag of a part can begin with; those with the high bit are overlong spellings."""
_TAKEN_BYTES = {1: 8, 5: 4, 3: 0, 4: 0}
"""By wire type, the bytes of a field behind its tag, where they are always as many."""


def require_protobuf(data: bytes, kind: type[Message], limit: int) -> int:
    """An upper bound on the parts of an encoded message; no field number may exceed 15.

    The bytes that may begin a part are counted first, which takes no loop; only where they are
    too many, as in a large body they may be, are the fields walked along and counted.

    Raises:
        TooLarge: more than `limit`.
    """
    most = _tags(data) + len(data) // PACKED
    if most <= limit:
        return most
    count = _counted(data, cast(Descriptor, kind.DESCRIPTOR), limit)
    if count > limit:
        raise _too_many(limit)
    return count


def require_json(data: bytes, limit: int) -> int:
    """An upper bound on the values in JSON: a separator or an opening one stands before each.

    Raises:
        TooLarge: more than `limit`.
    """
    most = 1 + sum(data.count(mark) for mark in (b",", b"[", b"{"))
    if most > limit:
        raise _too_many(limit)
    return most


def require_entries(data: bytes, limit: int) -> None:
    """Raise TooLarge where a message has more than `limit` fields; what is in them counts not.

    No field takes less than two bytes, so that small bodies need no look.
    """
    if len(data) <= 2 * limit:
        return
    position, count = 0, 0
    try:
        while position < len(data):
            tag, position = _varint(data, position)
            position = _behind(data, position, tag & 7)
            count += 1
            if count > limit:
                raise _too_many(limit)
    except (IndexError, KeyError):
        return


def _too_many(limit: int) -> TooLarge:
    told = f"the body holds over {limit} messages, texts or values; send fewer at a time"
    return TooLarge(told, "parts")


def _tags(data: bytes) -> int:
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    return sum(len(piece) - len(piece.translate(None, _TAGS)) for piece in pieces)


@lru_cache(maxsize=64)
def _fields(kind: Descriptor) -> Mapping[int, Descriptor | None]:
    """The fields with parts of their own, by number: messages, and None for packed numbers."""
    return {
        field.number: field.message_type
        for field in kind.fields
        if field.is_packed or field.message_type is not None
    }


def _counted(data: bytes, kind: Descriptor, limit: int) -> int:
    """The parts of a message, or a number over the limit once that is clear.

    Counting ends at bytes that are no message, since there a reader ends, too.
    """
    count, position, end, fields = 0, 0, len(data), _fields(kind)
    around: list[tuple[int, Mapping[int, Descriptor | None]]] = []
    try:
        while count <= limit:
            if position >= end:
                if not around:
                    break
                end, fields = around.pop()
                continue
            tag, position = _varint(data, position)
            if tag & 7 != _LENGTH:
                position = _behind(data, position, tag & 7)
                continue
            size, position = _varint(data, position)
            count += 1
            inner = fields.get(tag >> 3, _OPAQUE)
            if inner is None:
                count += size // PACKED
            elif size and inner is not _OPAQUE:
                around.append((end, fields))
                end, fields = position + size, _fields(inner)
                continue
            position += size
    except (IndexError, KeyError):
        return count
    return count


def _behind(data: bytes, position: int, wire: int) -> int:
    """Where a field ends whose tag ends at `position`."""
    if wire == 0:
        return _varint(data, position)[1]
    if wire == _LENGTH:
        size, start = _varint(data, position)
        return start + size
    return position + _TAKEN_BYTES[wire]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number and where it ends; IndexError where it is torn or too long."""
    value = data[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    for shift in range(7, 70, 7):
        more = data[position]
        position += 1
        value |= (more & 0x7F) << shift
        if more < 0x80:
            return value, position
    raise IndexError
