"""Protobuf messages of Prometheus remote write, made from descriptors written here.

Version 1.0 after https://prometheus.io/docs/specs/prw/remote_write_spec/ and prompb/*.proto,
version 2.0 after https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/. Of exemplars and
histograms only their number is of interest, so they are declared empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from rootward.errors import UnreadableBody

V1, V2 = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
"""The messages of a request, as senders name them in Content-Type."""
_Field = descriptor_pb2.FieldDescriptorProto
_V1_PACKAGE, _V2_PACKAGE = V1.rpartition(".")[0], V2.rpartition(".")[0]


class Label(Protocol):
    """A label name and its value."""

    name: str
    value: str


class Sample(Protocol):
    """A value and its time in Unix milliseconds."""

    value: float
    timestamp: int


class Measured(Protocol):
    """What a series of either version holds beside its labels."""

    samples: Sequence[Sample]
    exemplars: Sequence[object]
    histograms: Sequence[object]


class TimeSeries(Measured, Protocol):
    """A label set and its samples."""

    labels: Sequence[Label]


class WriteRequest(Protocol):
    """The body of a request of version 1.0."""

    timeseries: Sequence[TimeSeries]
    metadata: Sequence[object]


class Metadata(Protocol):
    """What the sender of version 2.0 says about a metric; text by its place among the symbols."""

    help_ref: int
    unit_ref: int


class TimeSeriesV2(Measured, Protocol):
    """A label set, each name and value by its place among the symbols, and its samples."""

    labels_refs: Sequence[int]
    metadata: Metadata


class RequestV2(Protocol):
    """The body of a request of version 2.0."""

    symbols: Sequence[str]
    timeseries: Sequence[TimeSeriesV2]


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


def _file(package: str, *empty: str) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"rootward/{package}.proto", package=package, syntax="proto3"
    )
    for name in ("Exemplar", "Histogram", *empty):
        file.message_type.add(name=name)
    add_message(
        file, "Sample", ("value", 1, _Field.TYPE_DOUBLE), ("timestamp", 2, _Field.TYPE_INT64)
    )
    return file


def _first() -> descriptor_pb2.FileDescriptorProto:
    file = _file(_V1_PACKAGE, "MetricMetadata")
    add_message(file, "Label", ("name", 1, _Field.TYPE_STRING), ("value", 2, _Field.TYPE_STRING))
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


def _second() -> descriptor_pb2.FileDescriptorProto:
    file = _file(_V2_PACKAGE)
    add_message(
        file, "Metadata", ("help_ref", 3, _Field.TYPE_UINT32), ("unit_ref", 4, _Field.TYPE_UINT32)
    )
    series = add_message(
        file,
        "TimeSeries",
        ("labels_refs", 1, _Field.TYPE_UINT32),
        ("samples", 2, "Sample"),
        ("histograms", 3, "Histogram"),
        ("exemplars", 4, "Exemplar"),
        ("metadata", 5, "Metadata"),
    )
    series.field[0].label = _Field.LABEL_REPEATED
    series.field[4].label = _Field.LABEL_OPTIONAL
    request = add_message(
        file, "Request", ("symbols", 4, _Field.TYPE_STRING), ("timeseries", 5, "TimeSeries")
    )
    request.field[0].label = _Field.LABEL_REPEATED
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_first())
_pool.Add(_second())


def _message(name: str) -> type[Message]:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


WriteRequestMessage, TimeSeriesMessage = _message(V1), _message(f"{_V1_PACKAGE}.TimeSeries")
RequestV2Message, TimeSeriesV2Message = _message(V2), _message(f"{_V2_PACKAGE}.TimeSeries")
MetadataMessage = _message(f"{_V2_PACKAGE}.Metadata")


def parse_write_request(data: bytes) -> WriteRequest:
    """A request of version 1.0; raises UnreadableBody for what is none."""
    return cast(WriteRequest, _parsed(WriteRequestMessage, data))


def parse_time_series(data: bytes) -> TimeSeries:
    """A series of version 1.0; raises UnreadableBody for what is none."""
    return cast(TimeSeries, _parsed(TimeSeriesMessage, data))


def parse_request_v2(data: bytes) -> RequestV2:
    """A request of version 2.0; raises UnreadableBody for what is none."""
    return cast(RequestV2, _parsed(RequestV2Message, data))


def parse_time_series_v2(data: bytes) -> TimeSeriesV2:
    """A series of version 2.0; raises UnreadableBody for what is none."""
    return cast(TimeSeriesV2, _parsed(TimeSeriesV2Message, data))


def parse_metadata(data: bytes) -> Metadata:
    """Metadata of version 2.0; raises UnreadableBody for what is none."""
    return cast(Metadata, _parsed(MetadataMessage, data))


def _parsed(kind: type[Message], data: bytes) -> Message:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise UnreadableBody(f"not a {kind.DESCRIPTOR.full_name}: {error}") from error
