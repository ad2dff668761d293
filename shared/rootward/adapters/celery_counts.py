"""What children of Celery workers count, told to the process whose /metrics people read."""

from __future__ import annotations

import json
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from rootward import telemetry
from rootward.telemetry import Point


class Relay:
    """A pipe made before the fork: children write a line for each number that grew.

    A line is shorter than what a pipe takes whole, so that those of several children stay apart.
    Where nobody reads for long it is full, and what was counted waits for the next time.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._owed: dict[Point, float] = {}
        self._rest = b""
        self._lock = threading.Lock()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """In a child: what grows meanwhile is told."""
        before = telemetry.standing()
        try:
            yield
        finally:
            for point, value in telemetry.standing().items():
                if grown := value - before.get(point, 0.0):
                    self._owed[point] = self._owed.get(point, 0.0) + grown
            self._tell()

    def hear(self) -> None:
        """In the serving process: count what was told since; never waits."""
        with self._lock:
            while select.select([self._reading], [], [], 0.0)[0]:
                self._rest += os.read(self._reading, select.PIPE_BUF)
            *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            family, name, labels, grown = json.loads(line)
            telemetry.add({(family, name, tuple(map(tuple, labels))): grown})

    def close(self) -> None:
        """In the serving process, once its children have ended."""
        self.hear()
        os.close(self._reading)
        os.close(self._writing)

    def _tell(self) -> None:
        with suppress(BlockingIOError):
            for point in list(self._owed):
                os.write(self._writing, json.dumps([*point, self._owed[point]]).encode() + b"\n")
                del self._owed[point]
