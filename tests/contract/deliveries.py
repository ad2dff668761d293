"""What arrives at a handler, and a way to wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

BOUND_SECONDS = 100.0
"""What arrives does so long before, on a busy machine too; below the limit of a test."""


class Deliveries:
    """A list that a test can wait on, and failures to raise on the way."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self._fail_with: Callable[[Any, int], Exception | None] = lambda _item, _count: None
        self._changed = threading.Condition()

    def fail_with(self, failure: Callable[[Any, int], Exception | None]) -> None:
        """Raise what `failure(item, times seen)` returns, unless it is None."""
        self._fail_with = failure

    def __call__(self, item: Any) -> None:
        with self._changed:
            self.seen.append(item)
            self._changed.notify_all()
            error = self._fail_with(item, self.seen.count(item))
        if error is not None:
            raise error

    def wait_for(self, count: int) -> list[Any]:
        """What has arrived once so many have."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, BOUND_SECONDS), self.seen
            return list(self.seen)
