"""What a service is built from: its callees, the lock on its state, its clock of slow things."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from prometheus_client import Histogram

from shop.client import Dependency
from shop.errors import HttpError, ShopError
from shop.measures import Measures


class TimedLock:
    """A lock that measures how long those wait who take it with `with`."""

    def __init__(self, wait: Histogram) -> None:
        self.plain = threading.Lock()
        self._wait = wait

    def __enter__(self) -> None:
        started = time.perf_counter()
        self.plain.acquire()
        self._wait.observe(time.perf_counter() - started)

    def __exit__(self, *_: object) -> None:
        self.plain.release()


@dataclass(frozen=True)
class Kit:
    """What one service has at hand."""

    measures: Measures
    dependencies: Mapping[str, Dependency]
    directory: Path
    """Where it may keep files."""
    random: random.Random
    lock: TimedLock

    def call(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of another service; raises as `Dependency.call` does."""
        return self.dependencies[service].call(method, path, body)

    def pause(self, seconds: float) -> None:
        """Wait as for a disc, a bank or a carrier: log-normal, `seconds` in the median."""
        time.sleep(self.random.lognormvariate(math.log(seconds), 0.35))


def kit(
    name: str, urls: Mapping[str, str], timeouts: Mapping[str, float], directory: Path, seed: int
) -> Kit:
    """The kit of the service `name`, which calls `urls` and waits `timeouts` seconds for each.

    Raises:
        ShopError: a service that it calls has no URL, or an unreadable one.
    """
    missing = sorted(timeouts.keys() - urls.keys())
    if missing:
        raise ShopError(f"{name} calls {', '.join(missing)}, and no URL is given for it")
    measures = Measures(tuple(timeouts))
    dependencies = {
        callee: Dependency(callee, urls[callee], seconds, measures)
        for callee, seconds in timeouts.items()
    }
    chance = random.Random(f"{seed} {name}")
    return Kit(measures, dependencies, directory, chance, TimedLock(measures.lock_wait))


@dataclass(frozen=True)
class Request:
    """One request, its path taken apart by the route."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A non-empty text of the body; raises `HttpError` 400 where it is missing."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value or len(value) > 200:
            raise HttpError(400, f"`{name}` must be a text of 1 to 200 characters")
        return value

    def whole(self, name: str) -> int:
        """A positive whole number of the body; raises `HttpError` 400 where it is missing."""
        value = self.body.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise HttpError(400, f"`{name}` must be a whole number of at least 1")
        return value


Handler = Callable[[Request], Any]
"""Answers with what becomes the JSON body; raises `HttpError` for anything but 200."""


class Service(Protocol):
    """One service of the shop."""

    def routes(self) -> Mapping[str, Handler]:
        """Handlers by `METHOD /path/{name}`; the function's name is the metric label."""


@dataclass
class Router:
    """Finds the handler of a request; exact segments, and `{name}` for any one."""

    routes: Mapping[str, Handler]
    _table: list[tuple[str, list[str], Handler]] = field(init=False)

    def __post_init__(self) -> None:
        self._table = [
            (method, path.split("/"), handler)
            for (method, path), handler in ((r.split(" "), h) for r, h in self.routes.items())
        ]

    def find(self, method: str, target: str) -> tuple[Handler, dict[str, str], dict[str, str]]:
        """Handler, path values and query of a request; raises `HttpError` 404."""
        parts = urlsplit(target)
        segments = parts.path.split("/")
        query = {k: v[-1] for k, v in parse_qs(parts.query).items()} if parts.query else {}
        for wanted, pattern, handler in self._table:
            values = _matched(pattern, segments)
            if wanted == method and values is not None:
                return handler, values, query
        raise HttpError(404, f"there is no {method} {parts.path}")


def _matched(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    """The values of the `{name}` segments, or None where the path is another one."""
    if len(pattern) != len(segments):
        return None
    pairs = list(zip(pattern, segments, strict=True))
    if any(p != s for p, s in pairs if not p.startswith("{")):
        return None
    return {p[1:-1]: s for p, s in pairs if p.startswith("{")}
