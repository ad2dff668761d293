"""Clocks: the system's, and one that plays a recording back faster."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rootward.errors import InvalidConfiguration


class SystemClock:
    """The time of day."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()


@dataclass(frozen=True)
class ReplayClock:
    """Starts at `start_unix` when it is made and runs `speed` times as fast as real time."""

    start_unix: float
    speed: float = 1.0
    _made: float = field(default_factory=lambda: time.monotonic(), init=False)

    def __post_init__(self) -> None:
        if not 0 < self.speed < float("inf"):
            raise InvalidConfiguration(f"a clock runs at a positive speed, not {self.speed:g}")

    def now(self) -> float:
        """Unix seconds on the clock of the recording."""
        return self.start_unix + (time.monotonic() - self._made) * self.speed
