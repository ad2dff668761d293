"""How many bytes of requests ingest holds at a time."""

from __future__ import annotations

import threading
from types import TracebackType

from rootward import telemetry
from rootward.errors import Busy

SMALLEST_CLAIM = 64 * 2**10
"""What even an empty request counts for: it bounds the number of requests, too."""


class TooMuchInFlight(Busy):
    """The requests at hand take all that they may."""


class Budget:
    """A number of bytes that claims share; safe to use from several threads."""

    def __init__(self, total_bytes: int) -> None:
        self._free = max(total_bytes, SMALLEST_CLAIM)
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Take bytes out of the budget.

        Raises:
            TooMuchInFlight: there are not so many left.
        """
        with self._lock:
            if size > self._free:
                raise TooMuchInFlight("too many bytes of requests are in flight")
            self._free -= size
        telemetry.INGEST_INFLIGHT.inc(size)

    def give_back(self, size: int) -> None:
        """Put bytes back."""
        with self._lock:
            self._free += size
        telemetry.INGEST_INFLIGHT.dec(size)


class Claim:
    """What one request takes of a budget; all of it goes back on leaving."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    def __enter__(self) -> Claim:
        self.cover(SMALLEST_CLAIM)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._budget.give_back(self._held)
        self._held = 0

    def cover(self, size: int) -> None:
        """Hold at least `size` bytes.

        Raises:
            Busy: the budget has not so many left.
        """
        if size > self._held:
            self._budget.take(size - self._held)
            self._held = size
