"""What comes in while parts fail: measurements of a few services, one of which breaks at times.

Each second's samples are sent until they are accepted, in their order, as Prometheus does.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np

from rootward.model.series import Series
from tests.real.node import Samples

SERVICES = tuple(f"service-{k:02}" for k in range(12))
LATENCY, ERRORS, RATE, CPU = (
    "latency_p90_seconds",
    "http_requests_errors_ratio",
    "http_requests_rate",
    "cpu_usage",
)
_RETRY_SECONDS = 0.2
_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Broken:
    """A fault in the stream: a service that answers slowly for a while."""

    service: str
    begin_unix: float
    end_unix: float


@dataclass(frozen=True)
class Plan:
    """When what breaks; one service after the other, each well until the next one breaks."""

    begin_unix: float
    end_unix: float
    healthy_seconds: float = 75.0
    """Before the first fault, and after the last one."""
    every_seconds: float = 50.0
    lasts_seconds: float = 20.0

    def broken(self) -> list[Broken]:
        """Every fault in the stream, in order."""
        last = self.end_unix - self.lasts_seconds - self.every_seconds / 2
        begins = np.arange(self.begin_unix + self.healthy_seconds, last, self.every_seconds)
        return [
            Broken(SERVICES[k % len(SERVICES)], float(at), float(at) + self.lasts_seconds)
            for k, at in enumerate(begins)
        ]


@dataclass
class History:
    """What was asked for and what was promised."""

    accepted: Samples = field(default_factory=dict)
    sent: Samples = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    """Requests by their outcome: accepted, refused (503), unanswered, unreached."""


class Traffic:
    """Measures each second and sends, in threads of its own, until its plan ends."""

    def __init__(self, urls: Sequence[str], plan: Plan, seed: int) -> None:
        self.history = History()
        self._urls = tuple(urls)
        self._plan = plan
        self._broken = plan.broken()
        self._random = np.random.default_rng(seed)
        self._waiting: deque[tuple[list[dict[str, object]], Samples]] = deque()
        self._measured = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._measure, self._send)
        ]

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    @property
    def is_over(self) -> bool:
        """Whether all that was measured is accepted."""
        return self._measured.is_set() and not self._waiting

    def _measure(self) -> None:
        tick = self._plan.begin_unix
        while tick < self._plan.end_unix and not self._stop.is_set():
            self._stop.wait(max(0.0, tick + 0.5 - time.time()))
            self._waiting.append(self._row(tick + 0.5))
            tick += 1.0
        self._measured.set()

    def _row(self, at: float) -> tuple[list[dict[str, object]], Samples]:
        told, keys = [], {}
        for service in SERVICES:
            slow = any(b.service == service and b.begin_unix <= at < b.end_unix
                       for b in self._broken)  # fmt: skip
            values = {
                LATENCY: 0.05 * self._random.lognormal(0, 0.15) * (10 if slow else 1),
                ERRORS: self._random.binomial(300, 0.3 if slow else 0.004) / 300,
                RATE: 20 * self._random.normal(1, 0.05),
                CPU: 0.3 * self._random.normal(1, 0.1),
            }
            for metric, value in values.items():
                labels = {"service": service}
                told.append({"metric": metric, "labels": labels, "time": at, "value": value})
                keys[Series.of(metric, service), round(at * 1e6)] = float(value)
        return told, keys

    def _send(self) -> None:
        attempt = 0
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            while not self._stop.is_set():
                if not self._waiting:
                    self._stop.wait(0.05)
                    continue
                samples, keys = self._waiting[0]
                url = self._urls[attempt % len(self._urls)]
                attempt += 1
                outcome = _outcome(client, url, samples)
                self.history.answers[outcome] += 1
                if outcome != "unreached":
                    self.history.sent |= keys
                if outcome == "accepted":
                    self.history.accepted |= keys
                    self._waiting.popleft()
                else:
                    self._stop.wait(_RETRY_SECONDS)


def _outcome(client: httpx.Client, url: str, samples: list[dict[str, object]]) -> str:
    try:
        answer = client.post(f"{url}/api/v1/samples", json={"samples": samples})
    except httpx.ConnectError:
        return "unreached"
    except httpx.TransportError:
        return "unanswered"
    if answer.status_code == 200 and answer.json()["accepted"] == len(samples):
        return "accepted"
    assert answer.status_code == 503, answer.text
    return "refused"
