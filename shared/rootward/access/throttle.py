"""Slows down whoever guesses passwords, and keeps nobody else out."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

from rootward.errors import OverQuota

FREE_BY_NAME, FREE_BY_ADDRESS = 5, 50
"""Wrong attempts that cost no wait: for one name from one address, for one address."""
MOST_WAIT_SECONDS = 300.0
FORGET_SECONDS = 900.0
_MOST_KEYS = 10_000


@dataclass(frozen=True)
class _Attempts:
    count: int
    last_unix: float


class Throttle:
    """Counts attempts by name and address, and by address alone; safe from several threads.

    Beyond the free ones each attempt must wait twice as long as the one before. A name is never
    counted by itself: who guesses at it elsewhere does not keep its owner out.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], _Attempts] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, address: str, now: float) -> None:
        """Count an attempt, before it is known whether it is right.

        Raises:
            OverQuota: it comes too early, and was not counted.
        """
        place = network(address)
        with self._lock:
            bounds = (((name, place), FREE_BY_NAME), (("", place), FREE_BY_ADDRESS))
            wait = max(self._wait(key, free, now) for key, free in bounds)
            if wait > 0:
                raise OverQuota("too many wrong attempts; wait a little", wait, "logins")
            for key, _ in bounds:
                self._count(key, now)

    def give_back(self, name: str, address: str) -> None:
        """The last attempt was right: forget those at this name, and this one of the address."""
        place = network(address)
        with self._lock:
            self._seen.pop((name, place), None)
            seen = self._seen.get(("", place))
            if seen is not None:
                self._seen["", place] = _Attempts(seen.count - 1, seen.last_unix)

    def _wait(self, key: tuple[str, str], free: int, now: float) -> float:
        seen = self._seen.get(key)
        if seen is None or seen.count < free or now - seen.last_unix >= FORGET_SECONDS:
            return 0.0
        pause = min(2.0 ** min(seen.count - free, 16), MOST_WAIT_SECONDS)
        return seen.last_unix + pause - now

    def _count(self, key: tuple[str, str], now: float) -> None:
        seen = self._seen.pop(key, None)
        fresh = seen is None or now - seen.last_unix >= FORGET_SECONDS
        self._seen[key] = _Attempts(1 if fresh or seen is None else seen.count + 1, now)
        if len(self._seen) > _MOST_KEYS:
            self._seen.popitem(last=False)


def network(address: str) -> str:
    """What one party holds at least: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
