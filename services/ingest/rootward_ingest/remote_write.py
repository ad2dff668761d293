"""POST /api/v1/write: Prometheus remote write 1.0 and 2.0.

https://prometheus.io/docs/specs/prw/remote_write_spec/ and …/remote_write_spec_2_0/
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers

from rootward.errors import RejectedSamples, UnsupportedMedia
from rootward_ingest.decode import decode, decompressed, uncompressed_size
from rootward_ingest.decode_v2 import EMPTY_SERIES
from rootward_ingest.decode_v2 import decode as decode_v2
from rootward_ingest.desk import Parcel, Problem, Route
from rootward_ingest.intake import Intake, Receipt
from rootward_ingest.messages import V1, V2
from rootward_ingest.symbols import SymbolIds

_MEDIA = "application/x-protobuf"
_COST = 2
"""Bytes of memory that a byte of a request becomes, its own included."""
SYMBOLS_PER_SERIES = 8
"""Symbols that are remembered, for each series that may be active."""
_UNWRITTEN = {
    "exemplar": "exemplars are not stored; set send_exemplars: false",
    "histogram": "native histograms are not stored; set send_native_histograms: false",
    EMPTY_SERIES: "a series needs samples",
}


class RemoteWrite:
    """The two versions behind one address, told apart by the message that Content-Type names."""

    def __init__(self, intake: Intake) -> None:
        self._first = RemoteWriteV1(intake)
        self._second = RemoteWriteV2(intake)

    def route(self, headers: Headers) -> Route:
        """The version that the headers announce; 1.0 where they name none."""
        return self._second if _announced(headers) == V2 else self._first


class RemoteWriteV1:
    """Write requests of version 1.0; 204 once all samples are durable.

    A request with samples that break a rule gets 400 with the reasons; its other samples are
    kept. Exemplars, histograms and metadata are counted and not stored.
    """

    protocol = "remote_write"

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce version 1.0 in snappy."""
        _require(headers, V1)

    def take(self, parcel: Parcel) -> Response:
        """Decode and accept a request.

        Raises:
            InvalidInput: it cannot be read, or is too large when decompressed.
            Busy, Unavailable: nothing was taken.
        """
        readings = decode(
            _content(parcel, self._intake),
            self._intake.known_of(parcel.tenant),
            self._intake.limits_of(parcel.tenant),
        )
        receipt = self._intake.accept(readings, self.protocol, parcel.tenant)
        if not receipt.rejected:
            return Response(status_code=204)
        return PlainTextResponse(_lines(receipt), status_code=400)

    def refuse(self, problem: Problem) -> Response:
        """Plain text, which is what senders write to their logs."""
        return PlainTextResponse(
            f"{problem.title.lower()}: {problem.detail}\n", problem.status, problem.headers
        )


class RemoteWriteV2:
    """Write requests of version 2.0; 204 once everything in them is durable.

    Every answer says in its headers how much was written. Exemplars and native histograms are
    not stored, so by the rules of the version a request with any of them gets 400; its samples
    are kept nevertheless, and counted as written.
    """

    protocol = "remote_write_v2"

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._numbers = SymbolIds(SYMBOLS_PER_SERIES * intake.limits.max_series)

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce version 2.0 in snappy."""
        _require(headers, V2)

    def take(self, parcel: Parcel) -> Response:
        """Decode and accept a request.

        Raises:
            InvalidInput: it cannot be read, or is too large when decompressed.
            Busy, Unavailable: nothing was taken.
        """
        content, tenant = _content(parcel, self._intake), parcel.tenant
        known, limits = self._intake.known_of(tenant), self._intake.limits_of(tenant)
        readings = decode_v2(content, known, self._numbers, limits)
        receipt = self._intake.accept(readings, self.protocol, parcel.tenant)
        if not receipt.rejected and not readings.ignored:
            return Response(status_code=204, headers=_written(receipt.settled))
        text = _lines(receipt, readings.ignored)
        return PlainTextResponse(text, 400, _written(receipt.settled))

    def refuse(self, problem: Problem) -> Response:
        """Plain text; nothing was written."""
        return PlainTextResponse(
            f"{problem.title.lower()}: {problem.detail}\n",
            problem.status,
            problem.headers | _written(0),
        )


def _written(samples: int) -> dict[str, str]:
    return {
        "X-Prometheus-Remote-Write-Samples-Written": str(samples),
        "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    }


def _content(parcel: Parcel, intake: Intake) -> bytes:
    body = parcel.body
    limit = intake.limits.max_decompressed_bytes
    parcel.claim.cover(len(body) + _COST * min(uncompressed_size(body), limit))
    return decompressed(body, limit)


def _lines(receipt: Receipt, unwritten: Mapping[str, int] | None = None) -> str:
    """What was refused, for the log of the sender."""
    refused = [str(RejectedSamples(receipt.accepted, receipt.rejected)), *receipt.details]
    kept = [f"{receipt.accepted} samples accepted"]
    told = [f"{kind}: {count}; {_UNWRITTEN[kind]}" for kind, count in (unwritten or {}).items()]
    return "\n".join([*(refused if receipt.rejected else kept), *told, ""])


def _require(headers: Headers, message: str) -> None:
    """Raise UnsupportedMedia unless the headers announce this message in snappy."""
    if _announced(headers) != message:
        raise UnsupportedMedia(
            f"Content-Type is {headers.get('content-type', 'missing')!r}; expected {_MEDIA}, "
            f"with proto={V1} or proto={V2}"
        )
    encoding = headers.get("content-encoding", "")
    if encoding.lower() != "snappy":
        raise UnsupportedMedia(f"Content-Encoding is {encoding or 'missing'!r}, not 'snappy'")


def _announced(headers: Headers) -> str:
    """The message that Content-Type names, an empty string where it is none of protobuf."""
    media, *parameters = (part.strip() for part in headers.get("content-type", "").split(";"))
    if media.lower() != _MEDIA:
        return ""
    named = [part.partition("=") for part in parameters if part]
    if not named:
        return V1
    messages = [
        value.strip().strip('"') for name, _, value in named if name.strip().lower() == "proto"
    ]
    return messages[0] if len(messages) == 1 else ""
