"""POST /api/v1/changes: what was done to the system, as CloudEvents, CDEvents among them.

What an event means is read from its type and its data::

    {"specversion": "1.0", "id": "4711", "source": "/ci", "type": "com.example.deploy",
     "subject": "cart", "time": "2023-11-14T22:13:20Z",
     "data": {"service": "cart", "version": "v2.3.1", "title": "cart v2.3.1", "author": "kim",
              "instances": ["cart-7d9f-x2", "cart-7d9f-k8"]}}

The kind follows the words in the type, or `kind` in the data: deploy, config, scaling, else other.
The service is `service` in the data, the subject of a CDEvents service event, or the last part
of the subject. An event without one concerns all services. `instances` are those that got it where
not all did, as with a canary; they are compared with the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import JsonValue
from starlette.datastructures import Headers

from rootward import telemetry
from rootward.errors import InvalidInput
from rootward.model.change_event import INSTANCES, ChangeEvent, ChangeKind
from rootward.ports import Platform
from rootward_ingest.cloud_events import BATCH, STRUCTURED, CloudEvent, field, read
from rootward_ingest.desk import Parcel, Problem
from rootward_ingest.json_answers import JSON, problem_answer, require_plain
from rootward_ingest.limits import Limits
from rootward_ingest.parts import PART_BYTES, require_json
from rootward_ingest.texts import fit, moment

_COST = 6
"""Bytes of objects that a byte of JSON becomes, roughly."""
_KINDS = (
    (ChangeKind.SCALING, re.compile(r"scal|replica|autoscal|hpa|resiz")),
    (ChangeKind.CONFIG, re.compile(r"config|flag|secret|setting|environment\.modified")),
    (ChangeKind.DEPLOY, re.compile(r"deploy|upgrad|roll|release|publish|service\.removed|helm")),
)
"""Words in the type of an event, the more special ones first."""
_DETAILS = (
    *("version", "image", "replicas", "environment", "namespace", "revision", "commit", "key"),
    "minutes",
    *("subject.content.artifactId", "subject.content.environment.id"),
)
_LONGEST_TITLE = 200


class Changes:
    """Events: 200 once all of them are durable, with how many were new."""

    protocol = "changes"

    def __init__(self, platform: Platform, limits: Limits) -> None:
        self._platform = platform
        self._limits = limits

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce CloudEvents or JSON."""
        require_plain(headers, STRUCTURED, BATCH, JSON)

    def take(self, parcel: Parcel) -> Response:
        """Store the events of a request.

        Raises:
            InvalidInput: not CloudEvents, or one lies ahead of our clock; nothing was stored.
            Unavailable: the store does not answer.
        """
        body, limits = parcel.body, self._limits
        built = _COST * len(body) + PART_BYTES * require_json(body, limits.max_parts)
        parcel.claim.cover(min(built, limits.largest_bytes))
        now = self._platform.clock.now()
        events = [change_of(one, parcel.tenant, now) for one in read(body, parcel.headers)]
        for event in events:
            if event.at_unix > now + limits.max_ahead_seconds:
                raise InvalidInput(
                    f"event {event.id!r} is over {limits.max_ahead_seconds:g} s ahead of our clock"
                )
        new = self._platform.change_events.put(events)
        for event in events:
            telemetry.CHANGE_EVENTS.labels(event.kind.value).inc()
        return JSONResponse({"accepted": len(events), "new": new})

    def refuse(self, problem: Problem) -> Response:
        """Problem details after RFC 9457."""
        return problem_answer(problem)


def change_of(event: CloudEvent, tenant: str, now: float) -> ChangeEvent:
    """What an event says was done; without a time it was done just now."""
    at = moment(event.time) if event.time else None
    kind, service = _kind(event), _service(event)
    details = {name.rpartition(".")[2]: field(event.data, name) for name in _DETAILS}
    details[INSTANCES] = _instances(event.data)
    return ChangeEvent(
        tenant=tenant,
        source=event.source,
        id=event.id,
        at_unix=now if at is None else at,
        kind=kind,
        service=service,
        title=_title(event, kind, service),
        type=event.type,
        author=fit(field(event.data, "author", "user", "actor", "triggeredBy")),
        url=fit(field(event.data, "url", "link")),
        details=tuple((name, fit(text)) for name, text in sorted(details.items()) if text),
    )


def _kind(event: CloudEvent) -> ChangeKind:
    said = field(event.data, "kind").lower()
    if said in tuple(ChangeKind):
        return ChangeKind(said)
    words = event.type.lower()
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), ChangeKind.OTHER)


def _service(event: CloudEvent) -> str:
    named = field(event.data, "service", "service_name", "service.name", "app")
    if not named and "environment" not in event.type.lower():
        named = field(event.data, "subject.id") or event.subject
    return fit(named.rstrip("/").rpartition("/")[2])[:256]


def _instances(data: JsonValue) -> str:
    """The instances that got it, of a list or of a text with commas."""
    named = data.get(INSTANCES) if isinstance(data, Mapping) else None
    if isinstance(named, list):
        named = ",".join(name for name in named if isinstance(name, str))
    words = named.split(",") if isinstance(named, str) else []
    return ",".join(word.strip() for word in words if word.strip())


def _title(event: CloudEvent, kind: ChangeKind, service: str) -> str:
    said = field(event.data, "title", "summary", "message", "description")
    version = field(event.data, "version", "image", "subject.content.artifactId", "replicas")
    made = " ".join(filter(None, (kind.value, service, version)))
    return fit(said or made)[:_LONGEST_TITLE]
