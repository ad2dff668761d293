"""The part of Thrift's compact protocol that the head of a Parquet file is written in.

A value is an int, a text, a list of values of one kind, or a struct: a dict by field number.
Thrift's specification: doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rootward.errors import UnreadableBody

STOP, I32, I64, BINARY, LIST, STRUCT = 0, 5, 6, 8, 9, 12
_BOOLS = (1, 2)
_DEEPEST = 16


@dataclass(frozen=True)
class Long:
    """A whole number that the format declares as 64 bits wide."""

    value: int


Value = int | Long | str | Sequence[Any] | Mapping[int, Any]


def written(struct: Mapping[int, Value]) -> bytes:
    """A struct as bytes; its fields must stand in the order of their numbers."""
    out = bytearray()
    last = 0
    for number, value in struct.items():
        out.append((number - last) << 4 | _kind(value))
        out += _body(value)
        last = number
    out.append(STOP)
    return bytes(out)


def _kind(value: Value) -> int:
    for kind, code in ((Long, I64), (int, I32), (str, BINARY), (Mapping, STRUCT)):
        if isinstance(value, kind):
            return code
    return LIST


def _body(value: Value) -> bytes:
    if isinstance(value, Long):
        return _zigzag(value.value)
    if isinstance(value, int):
        return _zigzag(value)
    if isinstance(value, str):
        text = value.encode()
        return _varint(len(text)) + text
    if isinstance(value, Mapping):
        return written(value)
    kind = _kind(value[0]) if value else I32
    head = (
        bytes([len(value) << 4 | kind])
        if len(value) < 15
        else bytes([0xF0 | kind]) + _varint(len(value))
    )
    return head + b"".join(_body(one) for one in value)


def _zigzag(number: int) -> bytes:
    return _varint((number << 1) ^ (number >> 63))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Reader:
    """Reads one struct after the other from bytes."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self.at = at

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The struct that begins here.

        Raises:
            UnreadableBody: it ends too early, or holds what Parquet heads do not.
        """
        if depth > _DEEPEST:
            raise UnreadableBody("the head of the Parquet file is nested too deep")
        found: dict[int, Any] = {}
        last = 0
        while (head := self._byte()) != STOP:
            last = last + (head >> 4) if head >> 4 else self._number()
            found[last] = self._value(head & 0x0F, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _BOOLS:
            return kind == 1
        if kind in (I32, I64):
            return self._number()
        if kind == BINARY:
            return self._text()
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind == LIST:
            return self._list(depth)
        raise UnreadableBody(f"the head of the Parquet file holds a value of kind {kind}")

    def _list(self, depth: int) -> list[Any]:
        head = self._byte()
        size = head >> 4
        if size == 15:
            size = self._varint()
        if size > len(self._data) - self.at:
            raise UnreadableBody("the head of the Parquet file is torn")
        return [self._value(head & 0x0F, depth + 1) for _ in range(size)]

    def _text(self) -> str:
        size = self._varint()
        part = self._data[self.at : self.at + size]
        if len(part) < size:
            raise UnreadableBody("the head of the Parquet file is torn")
        self.at += size
        return part.decode("utf-8", "replace")

    def _number(self) -> int:
        raw = self._varint()
        return (raw >> 1) ^ -(raw & 1)

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
            if shift > 63:
                raise UnreadableBody("the head of the Parquet file holds a number without end")

    def _byte(self) -> int:
        if self.at >= len(self._data):
            raise UnreadableBody("the head of the Parquet file is torn")
        self.at += 1
        return self._data[self.at - 1]
