"""Lets something happen now and then, however often it is asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict

QUIET_SECONDS = 60.0
"""How long a limit that was hit is not logged again."""
MOST_WORDS = 1000
"""What is asked for that is remembered; the least recent is forgotten first."""


class Seldom:
    """Says yes once in a while for each word; safe to use from several threads."""

    def __init__(self, every_seconds: float) -> None:
        self._every = every_seconds
        self._next: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def now(self, word: str, now: float) -> bool:
        """Whether it is time again for this word; if so, not again before the interval is over."""
        with self._lock:
            if now < self._next.get(word, 0.0):
                return False
            self._next[word] = now + self._every
            self._next.move_to_end(word)
            if len(self._next) > MOST_WORDS:
                self._next.popitem(last=False)
            return True
