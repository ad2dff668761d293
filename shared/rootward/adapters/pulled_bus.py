"""A bus that nobody publishes to: it reads the newest rows of a store that others fill."""

from __future__ import annotations

import logging
import math
import threading

import numpy as np

from rootward.errors import InsufficientData, InvalidInput, RootwardError
from rootward.model.series import SampleBatch
from rootward.model.window import Window
from rootward.ports import (
    DEFAULT_TENANT,
    BatchHandler,
    Clock,
    Everything,
    SampleStore,
    Share,
    WindowQuery,
)

log = logging.getLogger(__name__)

SETTLE_SECONDS = 2.0
"""How long after its end a row is read, so that what was measured in it has arrived."""
_MOST_ROWS = 20
"""Rows that are read at once after an outage; older ones come by the detector's own window."""


class PulledBus:
    """Hands each new row of a sample store to the handler, as a batch of samples at its time."""

    def __init__(
        self, samples: SampleStore, clock: Clock, step_seconds: float, *, refusal: str
    ) -> None:
        self._samples = samples
        self._clock = clock
        self._step = step_seconds
        self._refusal = refusal
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._read = -1
        """The last row that was handed over; of all earlier ones the detector knows by itself."""

    def publish(self, batch: SampleBatch) -> None:
        """Refuse: nothing is taken in.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput(self._refusal)

    def serve(self, handler: BatchHandler) -> None:
        """Start to read each row once it has settled, in the background; returns at once."""
        if self._thread is not None:
            raise InvalidInput("this bus is served already")
        self._thread = threading.Thread(
            target=self._run, args=(handler,), name="rootward-pull", daemon=True
        )
        self._thread.start()

    def share(self) -> Share:
        """All of it: nobody else serves this bus."""
        return Everything()

    def backlog(self) -> int:
        """Nothing waits here."""
        return 0

    def close(self) -> None:
        """Finish the row in hand and stop; idempotent."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def pull(self, handler: BatchHandler) -> None:
        """Hand over the rows that have settled since the last time.

        Raises:
            Unavailable: the store does not answer; the rows are read the next time.
        """
        newest = math.floor((self._clock.now() - SETTLE_SECONDS) / self._step)
        rows = min(newest - self._read, _MOST_ROWS) if self._read >= 0 else 1
        if rows < 1:
            return
        query = WindowQuery(newest * self._step, rows, self._step)
        try:
            batch = _batch(self._samples.window(query))
        except InsufficientData:
            log.debug("no sample in a row", extra={"end_unix": query.end_unix})
        else:
            handler(batch)
        self._read = newest

    def _run(self, handler: BatchHandler) -> None:
        while not self._stop.wait(self._until_next()):
            try:
                self.pull(handler)
            except RootwardError as error:
                log.warning("row not read", extra={"reason": str(error)})
            except Exception:
                log.exception("row not looked at")

    def _until_next(self) -> float:
        """Seconds until the next row has settled."""
        past = (self._clock.now() - SETTLE_SECONDS) % self._step
        return self._step - past if self._read >= 0 else 0.0


def _batch(window: Window) -> SampleBatch:
    """What was measured in a window, in order of time."""
    rows, columns = np.nonzero(np.isfinite(window.values))
    return SampleBatch(
        DEFAULT_TENANT,
        window.series,
        columns.astype(np.int32),
        window.times[rows],
        window.values[rows, columns],
    )
