"""The clock of the system."""

from __future__ import annotations

import time


class SystemClock:
    """The time of day."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()
