"""POST /api/v1/alerts: the webhook of Alertmanager, payload version 4; Grafana's is alike.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. Alertmanager tries again
upon 5xx alone, and repeats what still fires: that is a sign of life, not another alert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.datastructures import Headers

from rootward import telemetry
from rootward.errors import UnreadableBody
from rootward.model.alert import Alert, AlertStatus
from rootward.ports import DEFAULT_TENANT, Platform
from rootward_ingest.desk import Parcel, Problem
from rootward_ingest.intake import Intake
from rootward_ingest.json_answers import (
    JSON,
    problem_answer,
    require_plain,
    to_try_again,
    unreadable,
)
from rootward_ingest.limits import MAX_LABELS
from rootward_ingest.parts import PART_BYTES, require_json
from rootward_ingest.texts import Instant, Text, moment

_VERSIONS = ("4", "1")
"""Alertmanager's, and the one that Grafana gives to the same shape."""
_EXPECTED = (
    "Alertmanager's webhook payload of version 4, see "
    "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config"
)
_MOST_ALERTS = 5000
_COST = 6
"""Bytes of objects that a byte of JSON becomes, roughly."""
_LONGEST_FINGERPRINT = 128


class AlertIn(BaseModel):
    """One alert of a payload."""

    status: Literal["firing", "resolved"]
    labels: dict[Text, Text] = Field(max_length=MAX_LABELS)
    annotations: dict[Text, Text] = Field({}, max_length=MAX_LABELS)
    startsAt: Instant
    endsAt: Instant | None = None
    generatorURL: Text = ""
    fingerprint: str = Field("", max_length=_LONGEST_FINGERPRINT, pattern=r"^[!-~]*$")


class Payload(BaseModel):
    """What a notification holds; fields that are not used here are left out."""

    version: str
    alerts: list[AlertIn] = Field(max_length=_MOST_ALERTS)
    truncatedAlerts: int = Field(0, ge=0)


class Alerts:
    """Notifications: 200 once all alerts are durable and what they begin is queued."""

    protocol = "alerts"

    def __init__(self, platform: Platform, intake: Intake) -> None:
        self._platform = platform
        self._limits = intake.limits
        self._naming = intake.naming_of(DEFAULT_TENANT)

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce plain JSON."""
        require_plain(headers, JSON)

    def take(self, parcel: Parcel) -> Response:
        """Store the alerts, and have the workers open or close incidents for them.

        Raises:
            InvalidInput: not a payload of a version that is known.
            Busy, Unavailable: the sender is to come again; what was stored until then stays.
        """
        body, limits = parcel.body, self._limits
        built = _COST * len(body) + PART_BYTES * require_json(body, limits.max_parts)
        parcel.claim.cover(min(built, limits.largest_bytes))
        payload = read(body)
        now = self._platform.clock.now()
        alerts = [
            _alert(one, parcel.tenant, self._naming.service_of(one.labels), now)
            for one in payload.alerts
        ]
        known = self._platform.alerts.put(alerts)
        for status in AlertStatus:
            self._submit(status, parcel.tenant, known)
            telemetry.ALERTS.labels(status.value).inc(sum(a.status is status for a in alerts))
        telemetry.ALERTS.labels("truncated").inc(payload.truncatedAlerts)
        return JSONResponse({"accepted": len(alerts), "truncated": payload.truncatedAlerts})

    def refuse(self, problem: Problem) -> Response:
        """Problem details; nothing but 503 makes a sender try again."""
        return problem_answer(to_try_again(problem))

    def _submit(self, status: AlertStatus, tenant: str, known: tuple[Alert, ...]) -> None:
        """One job for the alerts of a status that the workers have to see to."""
        keys = [a.key for a in known if a.status is status and a.service and _asks(a)]
        if keys:
            self._platform.jobs.submit("alerts", keys=keys, status=status.value, tenant=tenant)


def read(body: bytes) -> Payload:
    """A notification.

    Raises:
        UnreadableBody: it is none; the text says where, by JSON pointers.
    """
    try:
        payload = Payload.model_validate_json(body)
    except ValidationError as error:
        raise unreadable(error, _EXPECTED) from error
    if payload.version not in _VERSIONS:
        raise UnreadableBody(f"/version: {payload.version[:20]!r}; expected {_EXPECTED}")
    return payload


def _asks(alert: Alert) -> bool:
    """Whether there may be an incident to open, or one to close."""
    return not alert.incident_id if alert.status is AlertStatus.FIRING else alert.opened


def _alert(one: AlertIn, tenant: str, service: str, now: float) -> Alert:
    status = AlertStatus(one.status)
    ends = moment(one.endsAt) if one.endsAt else None
    return Alert(
        tenant=tenant,
        fingerprint=one.fingerprint or _fingerprint(one.labels),
        starts_unix=moment(one.startsAt) or 0.0,
        status=status,
        service=service,
        labels=tuple(sorted(one.labels.items())),
        annotations=tuple(sorted(one.annotations.items())),
        ends_unix=(ends if ends and ends > 0 else now) if status is AlertStatus.RESOLVED else None,
        seen_unix=now,
        url=one.generatorURL,
    )


def _fingerprint(labels: Mapping[str, str]) -> str:
    """For senders that give none: the label set decides, as it does for Alertmanager."""
    text = "\0".join(part for pair in sorted(labels.items()) for part in pair)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
