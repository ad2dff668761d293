"""A fault goes in at ingest; its service stands first on the incident page."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import httpx
import numpy as np
import pytest

from rootward.settings import Settings
from rootward.testing.fakes import ManualClock
from rootward_cli.up import Node, running

START = 1_700_000_000.0
STEP = 15.0
SERVICES = ("front", "cart", "orders", "payment", "user")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def node(tmp_path: Path, clock: ManualClock) -> Iterator[Node]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'story.db'}", port=0, step_seconds=STEP
    )
    with running(settings, clock) as started:
        yield started


def _send(node: Node, clock: ManualClock, rows: range, *, broken: str | None) -> None:
    """A row of five services each step; the broken one and what calls it turn slow."""
    with httpx.Client(base_url=node.url, timeout=30) as client:
        for row in rows:
            rng = np.random.default_rng(row)
            time = START + row * STEP
            clock.set(time)
            samples = []
            for service in SERVICES:
                bad = service == broken
                values = {
                    "latency_seconds": 0.1 + 0.005 * rng.standard_normal() + 0.6 * bad,
                    "cpu_usage": 0.3 + 0.01 * rng.standard_normal() + 0.5 * bad,
                }
                if service == "front" and broken:
                    values["latency_seconds"] += 0.5
                samples += [
                    {"service": service, "metric": m, "time": time, "value": v}
                    for m, v in values.items()
                ]
            assert client.post("/api/v1/samples", json={"samples": samples}).status_code == 200


def _eventually(what: Callable[[], object], seconds: float = 60) -> object:
    deadline, pause = monotonic() + seconds, threading.Event()
    while monotonic() < deadline:
        if found := what():
            return found
        pause.wait(0.05)
    raise AssertionError(f"{what} did not come true within {seconds} s")


def _incidents(node: Node) -> list[dict]:
    return httpx.get(f"{node.url}/api/v1/incidents", timeout=30).json()["items"]


def test_a_fault_becomes_one_incident_that_names_its_service(node: Node, clock: ManualClock):
    _send(node, clock, range(80), broken=None)
    assert _incidents(node) == []
    _send(node, clock, range(80, 100), broken="cart")
    incident = _eventually(lambda: _incidents(node))[0]
    address = f"{node.url}/api/v1/incidents/{incident['id']}"
    diagnosis = _eventually(lambda: httpx.get(address, timeout=30).json().get("diagnosis"))
    assert diagnosis["candidates"][0]["service"] == "cart"
    page = httpx.get(f"{node.url}/incidents/{incident['id']}/report", timeout=30)
    assert page.status_code == 200
    assert "cart" in page.text
    assert "<svg" in page.text

    _send(node, clock, range(100, 140), broken=None)
    _eventually(lambda: _incidents(node)[0]["status"] == "resolved")
    assert len(_incidents(node)) == 1


def test_calm_metrics_open_nothing(node: Node, clock: ManualClock):
    _send(node, clock, range(150), broken=None)
    _eventually(lambda: node.platform.bus.backlog() == 0)
    assert _incidents(node) == []


def _tell_of_cart(node: Node, status: str, at_unix: float) -> None:
    """A notification of Alertmanager that cart is slow, or is well again."""
    starts = datetime.fromtimestamp(START + 80 * STEP, UTC).isoformat()
    alert = {
        "status": status,
        "labels": {"alertname": "Slow", "service": "cart", "severity": "critical"},
        "startsAt": starts,
        "endsAt": datetime.fromtimestamp(at_unix, UTC).isoformat(),
        "fingerprint": "f00",
    }
    sent = {"version": "4", "alerts": [alert]}
    assert httpx.post(f"{node.url}/api/v1/alerts", json=sent, timeout=30).status_code == 200


def test_an_alert_opens_an_incident_that_tells_of_the_deploy_and_ends_with_it(
    node: Node, clock: ManualClock
):
    _send(node, clock, range(80), broken=None)
    deploy = {"specversion": "1.0", "id": "1", "source": "/ci", "type": "deploy", "subject": "cart"}
    assert httpx.post(f"{node.url}/api/v1/changes", json=deploy, timeout=30).status_code == 200
    _send(node, clock, range(80, 82), broken="cart")
    _tell_of_cart(node, "firing", 0.0)
    (incident,) = _eventually(lambda: _incidents(node))
    assert incident["title"] == "cart: Slow fires"
    _send(node, clock, range(82, 110), broken="cart")
    address = f"{node.url}/api/v1/incidents/{incident['id']}"

    def told() -> dict | None:
        found = httpx.get(address, timeout=30).json()
        return found if found["diagnosis"] and found["diagnosis"]["candidates"] else None

    found = _eventually(told)
    first = found["diagnosis"]["candidates"][0]
    assert first["service"] == "cart"
    assert any(e["kind"] == "change" for e in first["evidence"])
    assert [a["status"] for a in found["alerts"]] == ["firing"]
    assert [e["service"] for e in found["change_events"]] == ["cart"]

    _send(node, clock, range(110, 130), broken=None)
    _tell_of_cart(node, "resolved", clock.now())
    _eventually(lambda: _incidents(node)[0]["status"] == "resolved")
    assert len(_incidents(node)) == 1
    assert httpx.get(f"{node.url}/api/v1/alerts", timeout=30).json()["items"][0]["opened"]
