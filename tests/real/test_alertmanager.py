"""A rule of a real Prometheus fires, Alertmanager tells Rootward: one alert, one incident."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from tests.real.children import free_port, until
from tests.real.node import Node
from tests.real.servers import alertmanager, prometheus

RULES = """
groups:
  - name: targets
    interval: 1s
    rules:
      - alert: Down
        expr: up{job="cart"} == 0
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} does not answer"}
"""
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: cart
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Metrics(BaseHTTPRequestHandler):
    """A target that answers."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"load 1\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def target(port: int) -> Iterator[None]:
    """The service cart, on its port."""
    server = HTTPServer(("127.0.0.1", port), Metrics)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def alerts(node: Node, status: str) -> list[dict]:
    """The alerts of cart as Rootward lists them."""
    asked = {"status": status, "service": "cart"}
    return httpx.get(f"{node.url}/api/v1/alerts", params=asked, timeout=30).json()["items"]


def unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def port() -> int:
    """Where cart would answer."""
    return free_port()


def test_an_alert_opens_one_incident_and_its_end_closes_it(node: Node, port: int, tmp_path: Path):
    rules = tmp_path / "rules.yml"
    rules.write_text(RULES)
    with ExitStack() as running:
        teller = running.enter_context(
            alertmanager(tmp_path / "alertmanager", f"{node.url}/api/v1/alerts")
        )
        config = CONFIG.format(rules=rules, alertmanager=teller.address, port=port)
        running.enter_context(prometheus(tmp_path / "prometheus", config))

        until(lambda: any(one["incident_id"] for one in alerts(node, "firing")), "an incident")
        (told,) = httpx.get(f"{teller.url}/api/v2/alerts", timeout=30).json()
        (alert,) = alerts(node, "firing")
        assert alert["labels"] == told["labels"]
        assert alert["key"].startswith(told["fingerprint"])
        assert alert["starts_unix"] == pytest.approx(unix(told["startsAt"]), abs=1e-3)
        assert alert["summary"] == f"127.0.0.1:{port} does not answer"

        running.enter_context(target(port))
        until(lambda: alerts(node, "resolved"), "the end of the alert")

    (ended,) = alerts(node, "resolved")
    assert alerts(node, "firing") == []
    assert ended["ends_unix"] > ended["starts_unix"] == alert["starts_unix"]
    address = f"{node.url}/api/v1/incidents/{alert['incident_id']}"
    until(
        lambda: httpx.get(address, timeout=30).json()["incident"]["status"] == "resolved",
        "the incident is over",
    )
    listed = httpx.get(f"{node.url}/api/v1/incidents", timeout=30).json()["items"]
    assert [one["symptom"]["service"] for one in listed] == ["cart"]
