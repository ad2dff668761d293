"""Protobuf messages of Prometheus remote write 1.0, made from descriptors written here.

https://prometheus.io/docs/specs/prw/remote_write_spec/ and prompb/{remote,types}.proto; of
exemplars and histograms only their presence is of interest, so they are declared empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from rootward.errors import UnreadableBody

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "prometheus"


class Label(Protocol):
    """A label name and its value."""

    name: str
    value: str


class Sample(Protocol):
    """A value and its time in Unix milliseconds."""

    value: float
    timestamp: int


class TimeSeries(Protocol):
    """A label set and its samples."""

    labels: Sequence[Label]
    samples: Sequence[Sample]
    exemplars: Sequence[object]
    histograms: Sequence[object]


class WriteRequest(Protocol):
    """The body of a remote write request."""

    timeseries: Sequence[TimeSeries]
    metadata: Sequence[object]


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="rootward/remote_write_v1.proto", package=_PACKAGE, syntax="proto3"
    )
    for empty in ("Exemplar", "Histogram", "MetricMetadata"):
        file.message_type.add(name=empty)
    add_message(
        file,
        "Label",
        ("name", 1, _Field.TYPE_STRING),
        ("value", 2, _Field.TYPE_STRING),
    )
    add_message(
        file,
        "Sample",
        ("value", 1, _Field.TYPE_DOUBLE),
        ("timestamp", 2, _Field.TYPE_INT64),
    )
    add_message(
        file,
        "TimeSeries",
        ("labels", 1, "Label"),
        ("samples", 2, "Sample"),
        ("exemplars", 3, "Exemplar"),
        ("histograms", 4, "Histogram"),
    )
    add_message(
        file, "WriteRequest", ("timeseries", 1, "TimeSeries"), ("metadata", 3, "MetricMetadata")
    )
    return file


def add_message(
    file: descriptor_pb2.FileDescriptorProto,
    name: str,
    *fields: tuple[str, int, _Field.Type.ValueType | str],
) -> descriptor_pb2.DescriptorProto:
    """Add a message; a field's type is a scalar, or the name of a message that repeats."""
    message = file.message_type.add(name=name)
    for field_name, number, kind in fields:
        if isinstance(kind, str):
            message.field.add(
                name=field_name,
                number=number,
                label=_Field.LABEL_REPEATED,
                type=_Field.TYPE_MESSAGE,
                type_name=f".{file.package}.{kind}",
            )
        else:
            message.field.add(
                name=field_name, number=number, label=_Field.LABEL_OPTIONAL, type=kind
            )
    return message


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
TimeSeriesMessage = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.TimeSeries")
)
WriteRequestMessage = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.WriteRequest")
)


def parse_time_series(data: bytes) -> TimeSeries:
    """One series of a request.

    Raises:
        UnreadableBody: not a TimeSeries message.
    """
    try:
        return cast(TimeSeries, TimeSeriesMessage.FromString(data))
    except DecodeError as error:
        raise UnreadableBody(f"not a Prometheus TimeSeries: {error}") from error


def parse_write_request(data: bytes) -> WriteRequest:
    """A whole request.

    Raises:
        UnreadableBody: not a WriteRequest message.
    """
    try:
        return cast(WriteRequest, WriteRequestMessage.FromString(data))
    except DecodeError as error:
        raise UnreadableBody(f"not a Prometheus WriteRequest: {error}") from error
