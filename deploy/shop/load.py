"""Visitors of the shop: journeys that arrive at random, more by day than by night.

The load is open: journeys arrive whether or not the shop keeps up. It is bounded: at most
`MAX_VISITORS` are in the shop, and who comes then goes elsewhere.
"""

from __future__ import annotations

import http.client
import json
import logging
import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

MAX_VISITORS = 64
USERS = 400
PRODUCTS = 60
CARDS = ("4111111111111111", "5500005555555559", "340000000000009")
TIMEOUT_SECONDS = 5.0
THINK_SECONDS = 0.4
REQUESTS_PER_JOURNEY = 4.0


@dataclass(frozen=True)
class Shape:
    """How many requests a second arrive over the day."""

    requests_per_second: float = 18.0
    """Mean over the day."""
    swing: float = 0.35
    """How far noon lies above the mean, and midnight below, as a share of it."""
    day_seconds: float = 120.0

    def rate(self, seconds: float) -> float:
        """Requests a second, `seconds` after the start; the day begins in the morning."""
        noon = math.sin(2 * math.pi * seconds / self.day_seconds)
        return self.requests_per_second * (1 + self.swing * noon)


@dataclass(frozen=True)
class Step:
    """One request of a journey."""

    method: str
    path: str
    body: dict[str, Any] | None = None


def journey(chance: random.Random) -> Iterator[Step]:
    """What one visitor does: look around, put something into the cart, perhaps buy."""
    user = f"u{chance.randrange(USERS)}"
    yield Step("GET", f"/?user={user}")
    product = f"p{int(chance.random() ** 2 * PRODUCTS)}"  # few products are looked at often
    yield Step("GET", f"/products/{product}?user={user}")
    if chance.random() < 0.1:
        return
    item = {"user": user, "product": product, "quantity": chance.randint(1, 3)}
    yield Step("POST", "/cart", item)
    if chance.random() < 0.4:
        yield Step("GET", f"/cart?user={user}")
    if chance.random() < 0.9:
        yield Step("POST", "/checkout", {"user": user, "card": chance.choice(CARDS)})


class Load:
    """Sends visitors to one frontend."""

    def __init__(self, url: str, shape: Shape, seed: int) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "127.0.0.1", address.port or 80
        self._shape = shape
        self._random = random.Random(seed)
        self._room = threading.BoundedSemaphore(MAX_VISITORS)

    def run(self, ended: threading.Event) -> None:
        """Let visitors in until `ended`."""
        started = time.monotonic()
        drift = 0.0
        while not ended.is_set():
            drift = 0.98 * drift + self._random.gauss(0, 0.02)
            rate = self._shape.rate(time.monotonic() - started) * math.exp(drift)
            if ended.wait(self._random.expovariate(rate / REQUESTS_PER_JOURNEY)):
                return
            if self._room.acquire(blocking=False):
                chance = random.Random(self._random.getrandbits(64))
                threading.Thread(target=self._visit, args=(chance,), daemon=True).start()

    def _visit(self, chance: random.Random) -> None:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        try:
            for step in journey(chance):
                if not _served(connection, step):
                    return
                time.sleep(chance.expovariate(1 / THINK_SECONDS))
        finally:
            connection.close()
            self._room.release()


def _served(connection: http.client.HTTPConnection, step: Step) -> bool:
    """Whether the shop answered with a page; a visitor who gets none goes away."""
    try:
        body = None if step.body is None else json.dumps(step.body)
        connection.request(step.method, step.path, body)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException) as error:
        log.info("no answer", extra={"reason": repr(error)})
        return False
    return response.status < 500
