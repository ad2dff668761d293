"""Protobuf messages of Prometheus remote write 2.0, made from descriptors written here.

https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/, package io.prometheus.write.v2. Of
exemplars and histograms only their number is of interest, so they are declared empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from rootward.errors import UnreadableBody
from rootward_ingest.messages import Sample, add_message

NAME = "io.prometheus.write.v2.Request"
_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = NAME.rpartition(".")[0]


class Metadata(Protocol):
    """What the sender says about a metric; text by its place among the symbols."""

    help_ref: int
    unit_ref: int


class TimeSeries(Protocol):
    """A label set, each name and value by its place among the symbols, and its samples."""

    labels_refs: Sequence[int]
    samples: Sequence[Sample]
    histograms: Sequence[object]
    exemplars: Sequence[object]
    metadata: Metadata


class Request(Protocol):
    """The body of a remote write request."""

    symbols: Sequence[str]
    timeseries: Sequence[TimeSeries]


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="rootward/remote_write_v2.proto", package=_PACKAGE, syntax="proto3"
    )
    for empty in ("Exemplar", "Histogram"):
        file.message_type.add(name=empty)
    add_message(
        file, "Sample", ("value", 1, _Field.TYPE_DOUBLE), ("timestamp", 2, _Field.TYPE_INT64)
    )
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
_pool.Add(_file())
TimeSeriesMessage = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.TimeSeries")
)
MetadataMessage = message_factory.GetMessageClass(
    _pool.FindMessageTypeByName(f"{_PACKAGE}.Metadata")
)
RequestMessage = message_factory.GetMessageClass(_pool.FindMessageTypeByName(NAME))


def parse_metadata(data: bytes) -> Metadata:
    """What is said about a metric.

    Raises:
        UnreadableBody: not a Metadata message.
    """
    try:
        return cast(Metadata, MetadataMessage.FromString(data))
    except DecodeError as error:
        raise UnreadableBody(f"not a Prometheus Metadata: {error}") from error


def parse_time_series(data: bytes) -> TimeSeries:
    """One series of a request.

    Raises:
        UnreadableBody: not a TimeSeries message.
    """
    try:
        return cast(TimeSeries, TimeSeriesMessage.FromString(data))
    except DecodeError as error:
        raise UnreadableBody(f"not a Prometheus TimeSeries of version 2: {error}") from error


def parse_request(data: bytes) -> Request:
    """A whole request.

    Raises:
        UnreadableBody: not a Request message.
    """
    try:
        return cast(Request, RequestMessage.FromString(data))
    except DecodeError as error:
        raise UnreadableBody(f"not a {NAME}: {error}") from error
