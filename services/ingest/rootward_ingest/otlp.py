"""POST /v1/metrics: metrics of OpenTelemetry over HTTP, in protobuf or JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Protocol

from fastapi import Response
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from starlette.datastructures import Headers

from rootward import telemetry
from rootward.errors import TooLarge, UnreadableBody, UnsupportedMedia
from rootward_ingest.desk import UNAVAILABLE_RETRY_SECONDS, Parcel, Problem, Route
from rootward_ingest.inflight import Claim
from rootward_ingest.intake import Intake, Receipt
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import Limits
from rootward_ingest.messages import add_message
from rootward_ingest.otlp_blocks import Blocks
from rootward_ingest.otlp_points import Decoded, decode
from rootward_ingest.parts import PART_BYTES, require_json

PROTOBUF, JSON = "application/x-protobuf", "application/json"
UNUSABLE = "bad_data_point"
"""The reason, in metrics, of data points that make no sample."""
_JSON_COST = 4
"""Bytes of Python objects that a byte of JSON becomes, roughly."""
_PIECE = 2**20
_GZIP = 16 + zlib.MAX_WBITS
_Field = descriptor_pb2.FieldDescriptorProto
_CODES = {401: 16, 403: 7, 413: 8, 429: 8, 408: 14, 503: 14, 500: 13}
"""google.rpc.Code by HTTP status, 3 (invalid argument) for all others."""


class Otlp:
    """Both encodings behind one address; an answer has the encoding of its request."""

    def __init__(self, intake: Intake) -> None:
        self._protobuf = OtlpRoute(intake, ProtobufForm())
        self._json = OtlpRoute(intake, JsonForm())

    def route(self, headers: Headers) -> Route:
        """The encoding that the headers announce; JSON, which people can read, for a wrong one."""
        return self._protobuf if _media(headers) == PROTOBUF else self._json


class Form(Protocol):
    """An encoding of requests and answers."""

    media: str
    cost: int
    """Bytes of memory that a byte of a request becomes."""

    def decode(
        self, content: bytes, known: KnownSeries, limits: Limits, cover: Callable[[int], None]
    ) -> Decoded:
        """The samples of a request; `cover` is told how many parts are about to be built.

        Raises:
            UnreadableBody: it is none.
            TooLarge: it has too many parts or samples.
        """
        ...

    def write(self, response: ExportMetricsServiceResponse) -> bytes:
        """An answer to a request that was taken."""
        ...

    def write_status(self, code: int, message: str) -> bytes:
        """A google.rpc.Status."""
        ...


class ProtobufForm:
    """Binary protobuf."""

    media = PROTOBUF
    cost = 1

    def __init__(self) -> None:
        self._blocks = Blocks()

    def decode(
        self, content: bytes, known: KnownSeries, limits: Limits, cover: Callable[[int], None]
    ) -> Decoded:
        """The samples of a request; raises UnreadableBody or TooLarge."""
        return self._blocks.decode(content, known, limits, cover)

    def write(self, response: ExportMetricsServiceResponse) -> bytes:
        """An answer to a request that was taken."""
        return response.SerializeToString()

    def write_status(self, code: int, message: str) -> bytes:
        """A google.rpc.Status."""
        encoded: bytes = StatusMessage(code=code, message=message).SerializeToString()
        return encoded


class JsonForm:
    """JSON after the protobuf mapping; keys that are not known are passed over."""

    media = JSON
    cost = _JSON_COST

    def decode(
        self, content: bytes, known: KnownSeries, limits: Limits, cover: Callable[[int], None]
    ) -> Decoded:
        """The samples of a request; raises UnreadableBody or TooLarge."""
        cover(require_json(content, limits.max_parts))
        request = ExportMetricsServiceRequest()
        try:
            json_format.Parse(content, request, ignore_unknown_fields=True)
        except (json_format.ParseError, ValueError, RecursionError) as error:
            raise UnreadableBody(f"not an ExportMetricsServiceRequest: {error}") from error
        return decode(request, known, limits.max_samples)

    def write(self, response: ExportMetricsServiceResponse) -> bytes:
        """An answer to a request that was taken."""
        return json_format.MessageToJson(response, indent=None).encode()

    def write_status(self, code: int, message: str) -> bytes:
        """A google.rpc.Status."""
        return json.dumps({"code": code, "message": message}).encode()


class OtlpRoute:
    """Export requests in one encoding; 200 once all that is taken of them is durable.

    Where some data points are refused the answer is a partial success with their number, where
    all are it is 400. Errors are a google.rpc.Status.
    """

    protocol = "otlp"

    def __init__(self, intake: Intake, form: Form) -> None:
        self._intake = intake
        self._form = form

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce this encoding, plain or in gzip."""
        media = _media(headers)
        if media != self._form.media:
            raise UnsupportedMedia(
                f"Content-Type is {media or 'missing'!r}; expected {PROTOBUF} or {JSON}"
            )
        encoding = headers.get("content-encoding", "identity")
        if encoding.lower() not in ("identity", "gzip"):
            raise UnsupportedMedia(f"Content-Encoding is {encoding!r}; gzip and none are taken")

    def take(self, parcel: Parcel) -> Response:
        """Decode and accept a request.

        Raises:
            InvalidInput: it cannot be read, or is too large when decompressed.
            Busy, Unavailable: nothing was taken.
        """
        limits = self._intake.limits_of(parcel.tenant)
        content = self._content(parcel.body, parcel.claim)
        most, size = limits.largest_bytes, len(parcel.body) + self._form.cost * len(content)
        decoded = self._form.decode(
            content,
            self._intake.known_of(parcel.tenant),
            limits,
            lambda parts: parcel.claim.cover(min(size + PART_BYTES * parts, most)),
        )
        receipt = self._intake.accept(decoded.readings, self.protocol, parcel.tenant)
        telemetry.INGEST_REJECTED.labels(UNUSABLE, parcel.tenant).inc(decoded.unusable.total())
        return self._answer(decoded, receipt)

    def refuse(self, problem: Problem) -> Response:
        """A google.rpc.Status; senders try again upon 503, but not upon 408."""
        status, headers = problem.status, problem.headers
        if status == 408:
            status, headers = 503, {"Retry-After": f"{UNAVAILABLE_RETRY_SECONDS:.0f}"}
        message = f"{problem.title.lower()}: {problem.detail}"
        content = self._form.write_status(_CODES.get(problem.status, 3), message)
        return Response(content, status, headers, self._form.media)

    def _content(self, body: bytes, claim: Claim) -> bytes:
        # neither protobuf (it would be a field of wire type 7) nor JSON can begin like this
        if not body.startswith(b"\x1f\x8b"):
            return body
        return _gunzipped(body, self._intake.limits.max_decompressed_bytes, claim)

    def _answer(self, decoded: Decoded, receipt: Receipt) -> Response:
        refused = len({decoded.points[k] for k in receipt.refused}) + decoded.unusable.total()
        response = ExportMetricsServiceResponse()
        if refused:
            told = [f"{what}: {count} data points" for what, count in decoded.unusable.items()]
            message = "\n".join((f"{refused} data points refused", *told, *receipt.details))
            if not receipt.accepted:
                return self.refuse(Problem(400, "All data points were refused", message))
            response.partial_success.rejected_data_points = refused
            response.partial_success.error_message = message
        return Response(self._form.write(response), media_type=self._form.media)


def _media(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _gunzipped(body: bytes, limit: int, claim: Claim) -> bytes:
    """The content of a gzip file, of one member or several.

    Raises:
        UnreadableBody: not gzip, or torn.
        TooLarge: it holds more than `limit` bytes; no more than that was decompressed.
    """
    pieces: list[bytes] = []
    size = 0
    while body:
        stream = zlib.decompressobj(_GZIP)
        while not stream.eof:
            try:
                piece = stream.decompress(body, _PIECE)
            except zlib.error as error:
                raise UnreadableBody(f"not gzip: {error}") from error
            body = stream.unconsumed_tail
            size += len(piece)
            if size > limit:
                told = f"the body holds over {limit} bytes; send fewer points at a time"
                raise TooLarge(told, "decompressed")
            if not piece and not stream.eof:
                raise UnreadableBody("torn gzip: it ends too early")
            claim.cover(size)
            pieces.append(piece)
        body = stream.unused_data
    return b"".join(pieces)


def _status_file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="rootward/status.proto", package="google.rpc", syntax="proto3"
    )
    add_message(file, "Status", ("code", 1, _Field.TYPE_INT32), ("message", 2, _Field.TYPE_STRING))
    return file


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_status_file())
StatusMessage = message_factory.GetMessageClass(_pool.FindMessageTypeByName("google.rpc.Status"))
