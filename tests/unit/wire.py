"""Protobuf by hand: an encoder that shares nothing with the readers under test."""

import struct


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def chunk(tag: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes([tag]) + varint(len(content)) + content


def sample(value: float, time: int, *, omit_zero: bool = True, time_first: bool = False) -> bytes:
    """A sample as both versions of remote write have it in their series."""
    bits = struct.pack("<d", value)
    parts = [] if omit_zero and not any(bits) else [b"\x09" + bits]
    if time or not omit_zero:
        parts.append(b"\x10" + varint(time))
    return chunk(0x12, b"".join(reversed(parts) if time_first else parts))


class Version2:
    """A remote write 2.0 request, with the table of symbols that its series need."""

    def __init__(self) -> None:
        self.symbols: dict[str, int] = {"": 0}
        self.series: list[bytes] = []

    def ref(self, symbol: str) -> int:
        return self.symbols.setdefault(symbol, len(self.symbols))

    def refs(self, labels: dict[str, str]) -> bytes:
        places = [self.ref(text) for pair in labels.items() for text in pair]
        return chunk(0x0A, b"".join(map(varint, places)))

    def metadata(self, kind: int, text: str, unit: str) -> bytes:
        numbers = ((0x08, kind), (0x18, self.ref(text)), (0x20, self.ref(unit)))
        return chunk(0x2A, b"".join(bytes([tag]) + varint(n) for tag, n in numbers if n))

    def add(self, labels: dict[str, str], *parts: bytes) -> "Version2":
        self.series.append(self.refs(labels) + b"".join(parts))
        return self

    def encoded(self) -> bytes:
        table = b"".join(chunk(0x22, symbol.encode()) for symbol in self.symbols)
        return table + b"".join(chunk(0x2A, one) for one in self.series)
