"""Notifications as Alertmanager and Grafana really send them."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

NOW = 1_700_000_000.0
STARTS = "2023-11-14T22:12:27.3Z"
OPEN_END = "0001-01-01T00:00:00Z"


def alert(**more: Any) -> dict[str, Any]:
    """One firing alert about cart."""
    return {
        "status": "firing",
        "labels": {
            "alertname": "HighLatency",
            "app_kubernetes_io_name": "cart",
            "job": "kube-state-metrics",
            "severity": "critical",
        },
        "annotations": {"summary": "p99 is over 1 s", "runbook_url": "https://wiki/latency"},
        "startsAt": STARTS,
        "endsAt": OPEN_END,
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
        "fingerprint": "fbab788ec4c1018b",
    } | more


def labelled(service: str, fingerprint: str, severity: str = "warning", **more: Any) -> dict:
    """One alert about a service."""
    labels = {"alertname": "Errors", "service": service, "severity": severity}
    return alert(labels=labels, fingerprint=fingerprint, **more)


def resolved(one: dict[str, Any], ends: str = "2023-11-14T22:17:27.3Z") -> dict[str, Any]:
    """The same alert at its end."""
    return one | {"status": "resolved", "endsAt": ends}


def notification(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What Alertmanager 0.34 wraps around alerts."""
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighLatency"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "rootward",
        "groupLabels": {"alertname": "HighLatency"},
        "commonLabels": {"severity": "critical"},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "notification_reason": "first notification",
        "routeLabels": {},
        "alerts": list(alerts),
    } | more


def notify(client: TestClient, *alerts: dict[str, Any]) -> None:
    """Send a notification and require that it is taken."""
    answer = client.post("/api/v1/alerts", json=notification(*alerts))
    assert answer.status_code == 200, answer.text
