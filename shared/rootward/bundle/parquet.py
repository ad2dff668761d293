"""Columns of numbers as a Parquet file, bit for bit: float64, plain, gzip, one page a column.

Any Parquet reader reads what is written here; read is only what is written here. The format:
github.com/apache/parquet-format, version 2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from rootward.bundle.thrift import Long, Reader, written
from rootward.errors import TooLarge, UnreadableBody

_MAGIC = b"PAR1"
_DOUBLE, _REQUIRED, _PLAIN, _RLE, _GZIP = 5, 0, 0, 3, 2
_GZIP_FORM = 31
"""zlib's word for its deflate stream in a gzip envelope."""
MOST_BYTES = 512 * 2**20
"""Of all columns together."""


def parquet(columns: Mapping[str, np.ndarray], facts: Mapping[str, str]) -> bytes:
    """Columns of the same length, float64, as a file; `facts` stand in its head."""
    out = bytearray(_MAGIC)
    rows = len(next(iter(columns.values()), ()))
    chunks, total = [], 0
    for name, values in columns.items():
        chunk, size = _chunk(out, name, values)
        chunks.append(chunk)
        total += size
    schema: list[Mapping[int, Any]] = [{4: "schema", 5: len(columns)}]
    schema += [{1: _DOUBLE, 3: _REQUIRED, 4: name} for name in columns]
    head = written(
        {
            1: 2,
            2: schema,
            3: Long(rows),
            4: [{1: chunks, 2: Long(total), 3: Long(rows)}],
            5: [{1: key, 2: value} for key, value in facts.items()],
            6: "rootward",
        }
    )
    return bytes(out) + head + struct.pack("<I", len(head)) + _MAGIC


def _chunk(out: bytearray, name: str, values: np.ndarray) -> tuple[Mapping[int, Any], int]:
    """Append the page of one column; its description, and its size unpacked."""
    plain = np.ascontiguousarray(values, "<f8").tobytes()
    deflate = zlib.compressobj(6, zlib.DEFLATED, _GZIP_FORM)
    packed = deflate.compress(plain) + deflate.flush()
    page: Mapping[int, Any] = {1: 0, 2: len(plain), 3: len(packed),
            5: {1: len(values), 2: _PLAIN, 3: _RLE, 4: _RLE}}  # fmt: skip
    head = written(page)
    start = len(out)
    out += head + packed
    described = {
        1: _DOUBLE,
        2: [_PLAIN, _RLE],
        3: [name],
        4: _GZIP,
        5: Long(len(values)),
        6: Long(len(head) + len(plain)),
        7: Long(len(head) + len(packed)),
        9: Long(start),
    }
    return {2: Long(start), 3: described}, len(head) + len(plain)


def read(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The columns and facts of a file that `parquet` wrote.

    Raises:
        UnreadableBody: not such a file.
        TooLarge: its columns together take more than `MOST_BYTES`.
    """
    if len(data) < 12 or data[:4] != _MAGIC or data[-4:] != _MAGIC:
        raise UnreadableBody("not a Parquet file")
    (size,) = struct.unpack("<I", data[-8:-4])
    head = Reader(data, max(4, len(data) - 8 - size)).struct()
    try:
        rows, groups = head[3], head[4]
        facts = {pair[1]: pair[2] for pair in head.get(5, ())}
        described = [chunk[3] for group in groups for chunk in group[1]]
        if rows * 8 * len(described) > MOST_BYTES:
            raise TooLarge(f"{rows} rows of {len(described)} columns are over {MOST_BYTES} bytes")
        columns = {one[3][0]: _column(data, one, rows) for one in described}
    except (KeyError, IndexError, TypeError, ValueError, zlib.error) as error:
        raise UnreadableBody(f"not a Parquet file that Rootward wrote: {error!r}") from error
    return columns, facts


def _column(data: bytes, described: Mapping[int, Any], rows: int) -> np.ndarray:
    if described[1] != _DOUBLE or described[4] != _GZIP or described[5] != rows:
        raise UnreadableBody("not a Parquet file that Rootward wrote: other types or packing")
    page = Reader(data, described[9])
    head = page.struct()
    packed = data[page.at : page.at + head[3]]
    unpacking = zlib.decompressobj(_GZIP_FORM)
    plain = unpacking.decompress(packed, 8 * rows + 1)
    if len(plain) != 8 * rows or head[5][2] != _PLAIN:
        raise UnreadableBody("a column of the Parquet file is torn")
    return np.frombuffer(plain, "<f8").astype(np.float64)
