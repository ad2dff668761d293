"""Model ⇄ bytes, with a format version: sample batches as binary columns, all else JSON."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import TypeAdapter, ValidationError

from rootward.errors import InvalidInput, UnreadableBody
from rootward.model.series import SampleBatch, Series
from rootward.model.spread import Arrays

T = TypeVar("T")

_MAGIC = b"RWB1"
_HEAD = struct.Struct("<4sII")
"""Magic with the format version, bytes of the JSON header, samples."""


def batch_to_bytes(batch: SampleBatch) -> bytes:
    """A batch as one message: a JSON header with the series, then the three columns."""
    header = _header_of(batch.tenant, batch.series)
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(header), len(batch)),
            header,
            np.ascontiguousarray(batch.index, "<i4").tobytes(),
            np.ascontiguousarray(batch.times, "<f8").tobytes(),
            np.ascontiguousarray(batch.values, "<f8").tobytes(),
        )
    )


def batch_from_bytes(data: bytes) -> SampleBatch:
    """The batch that `batch_to_bytes` wrote.

    Raises:
        UnreadableBody: another format, another version, or a torn message.
    """
    try:
        magic, header_size, samples = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise UnreadableBody(f"not a sample batch of version 1: starts with {magic!r}")
        start = _HEAD.size + header_size
        tenant, series = _header(bytes(data[_HEAD.size : start]))
        index = np.frombuffer(data, "<i4", samples, start)
        times = np.frombuffer(data, "<f8", samples, start + 4 * samples)
        values = np.frombuffer(data, "<f8", samples, start + 12 * samples)
        if samples and not 0 <= int(index.min()) <= int(index.max()) < len(series):
            raise UnreadableBody("a sample batch refers to a series that it does not hold")
        return SampleBatch(tenant, series, index, times, values)
    except (struct.error, ValueError, KeyError, TypeError, InvalidInput) as error:
        raise UnreadableBody(f"torn sample batch: {error}") from error


# Senders repeat their series scrape by scrape, so headers are kept in both directions.
@lru_cache(maxsize=32)
def _header_of(tenant: str, series: tuple[Series, ...]) -> bytes:
    named = [[one.metric, *one.labels] for one in series]
    return json.dumps({"tenant": tenant, "series": named}, separators=(",", ":")).encode()


@lru_cache(maxsize=32)
def _header(data: bytes) -> tuple[str, tuple[Series, ...]]:
    header = json.loads(data)
    series = tuple(
        Series(metric, tuple((name, value) for name, value in labels))
        for metric, *labels in header["series"]
    )
    return header["tenant"], series


@lru_cache(maxsize=64)
def _adapter(kind: Hashable) -> Any:  # a TypeAdapter, which beartype cannot check
    return TypeAdapter(cast(Any, kind))


def to_json(value: object, kind: Hashable) -> str:
    """A model value as JSON; `kind` is its type, a union where several are allowed.

    Raises:
        InvalidInput: a number in it is NaN or infinite, which JSON cannot say and no reader
            could tell from "not measured"; say None for that.
    """
    try:
        plain = _adapter(kind).dump_python(value, mode="json")
        return json.dumps(plain, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except ValueError as error:
        raise InvalidInput(f"a {type(value).__name__} holds NaN or infinity") from error


def from_json(data: str | bytes, kind: type[T]) -> T:
    """The value that `to_json` wrote.

    Raises:
        UnreadableBody: not JSON, or not of this type.
    """
    try:
        value: T = _adapter(cast(Hashable, kind)).validate_json(data)
        return value
    except ValidationError as error:
        raise UnreadableBody(f"not a {kind.__name__}: {error}") from error


def arrays_to_bytes(arrays: Arrays) -> bytes:
    """Named arrays as one body, bit for bit."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def arrays_from_bytes(body: bytes) -> Arrays:
    """The arrays that `arrays_to_bytes` wrote.

    Raises:
        UnreadableBody: something else.
    """
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise UnreadableBody(f"no arrays: {error}") from error
