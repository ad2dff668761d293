"""POST /api/v1/write: Prometheus remote write 1.0.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers

from rootward.errors import RejectedSamples, UnsupportedMedia
from rootward_ingest.decode import decode, decompressed, uncompressed_size
from rootward_ingest.desk import Problem
from rootward_ingest.inflight import Claim
from rootward_ingest.intake import Intake

_MEDIA = "application/x-protobuf"
_MESSAGES = ("", "prometheus.WriteRequest")


class RemoteWrite:
    """Snappy-compressed write requests of version 1.0; 204 once all samples are durable.

    A request with samples that break a rule gets 400 with the reasons; its other samples are
    kept. Version 2.0 gets 415, upon which senders fall back to 1.0.
    """

    protocol = "remote_write"

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce version 1.0 in snappy."""
        media, _, parameter = headers.get("content-type", "").partition(";")
        name, _, message = parameter.strip().partition("=")
        known = name.lower() in ("", "proto") and message.strip('"') in _MESSAGES
        if media.strip().lower() != _MEDIA or not known:
            raise UnsupportedMedia(
                f"Content-Type is {headers.get('content-type', 'missing')!r}; expected {_MEDIA}, "
                "remote write version 1.0"
            )
        encoding = headers.get("content-encoding", "")
        if encoding.lower() != "snappy":
            raise UnsupportedMedia(f"Content-Encoding is {encoding or 'missing'!r}, not 'snappy'")

    def take(self, body: bytes, claim: Claim) -> Response:
        """Decode and accept a request.

        Raises:
            InvalidInput: it cannot be read, or is too large when decompressed.
            Busy, Unavailable: nothing was taken.
        """
        limit = self._intake.limits.max_decompressed_bytes
        claim.cover(len(body) + min(uncompressed_size(body), limit))
        readings = decode(decompressed(body, limit), self._intake.known)
        receipt = self._intake.accept(readings, self.protocol)
        if not receipt.rejected:
            return Response(status_code=204)
        headline = str(RejectedSamples(receipt.accepted, receipt.rejected))
        return PlainTextResponse("\n".join((headline, *receipt.details, "")), status_code=400)

    def refuse(self, problem: Problem) -> Response:
        """Plain text, which is what senders write to their logs."""
        return PlainTextResponse(
            f"{problem.title.lower()}: {problem.detail}\n", problem.status, problem.headers
        )
