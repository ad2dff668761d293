"""What each kind of receiver is sent. Pure.

Slack's incoming webhooks, PagerDuty's Events API v2, and Standard Webhooks
(github.com/standard-webhooks/standard-webhooks) for everyone else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rootward.model.incident import Severity
from rootward.model.notification import Notification, Target, TargetKind

_LONGEST_SUMMARY = 1024
_LONGEST_SECTION = 3000
_SIGNS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
PAGERDUTY_EVENTS = {
    "opened": "trigger",
    "reopened": "trigger",
    "diagnosed": "trigger",
    "severity": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
    "merged_into": "resolve",
}
"""What PagerDuty calls a line of the log; it has no word for the others."""


@dataclass(frozen=True)
class Message:
    """A request to a receiver."""

    headers: Mapping[str, str]
    body: bytes


def message(target: Target, told: Notification, now: float) -> Message | None:
    """What a receiver is sent; None where its form has no word for it."""
    if target.kind is TargetKind.SLACK:
        return _plain(_slack(told))
    if target.kind is TargetKind.PAGERDUTY:
        event = PAGERDUTY_EVENTS.get(told.action)
        return None if event is None else _plain(_pagerduty(target, told, event))
    return _signed(target, told, now)


def signature(secret: str, key: str, timestamp: int, body: bytes) -> str:
    """The signature of a webhook: `v1,` and base64 of HMAC-SHA256 over id, time and body."""
    text = secret.removeprefix("whsec_")
    try:
        raw = base64.b64decode(text, validate=True) if secret != text else text.encode()
    except binascii.Error:
        raw = text.encode()
    mac = hmac.new(raw, f"{key}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def _plain(said: Mapping[str, Any]) -> Message:
    return Message({"Content-Type": "application/json"}, _json(said))


def _json(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _slack(told: Notification) -> dict[str, Any]:
    head = f"{_SIGNS[told.severity]} {told.name} {told.action.replace('_', ' ')}: {told.title}"
    by = f" by {told.actor}" if told.actor else ""
    lines = [f"*{_escaped(head)}*{_escaped(by)}", _escaped(told.text)]
    if told.url:
        lines.append(f"<{told.url}|Open {told.name}>")
    text = "\n".join(line for line in lines if line)[:_LONGEST_SECTION]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": head[:_LONGEST_SECTION], "blocks": [section]}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _pagerduty(target: Target, told: Notification, event: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "routing_key": target.secret,
        "event_action": event,
        "dedup_key": told.incident_id[:255],
    }
    if event != "trigger":
        return said
    said["payload"] = {
        "summary": f"{told.name}: {told.title}"[:_LONGEST_SUMMARY],
        "source": told.service,
        "severity": told.severity.value,
        "timestamp": _time(told.at_unix),
        "component": told.service,
        "class": told.action,
        "custom_details": {"services": list(told.services), "text": told.text},
    }
    if told.url:
        said["links"] = [{"href": told.url, "text": told.name}]
    return said


def _signed(target: Target, told: Notification, now: float) -> Message:
    body = _json(
        {
            "type": f"incident.{told.action}",
            "timestamp": _time(told.at_unix),
            "data": {
                "incident_id": told.incident_id,
                "name": told.name,
                "title": told.title,
                "severity": told.severity.value,
                "status": told.status,
                "service": told.service,
                "services": list(told.services),
                "actor": told.actor,
                "text": told.text,
                "onset_unix": told.onset_unix,
                "url": told.url,
            },
        }
    )
    timestamp = int(now)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": told.key,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(target.secret, told.key, timestamp, body),
    }
    return Message(headers, body)


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")
