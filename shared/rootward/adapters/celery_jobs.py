"""CeleryJobs: Celery delivers, the rows of the database are the truth."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from rootward.adapters.celery_app import Doorbell
from rootward.adapters.celery_counts import Relay
from rootward.adapters.celery_workers import Bench, Crew, Means, Working
from rootward.adapters.lanes import SWIFT, Lane, lane_of
from rootward.errors import InvalidInput, Unavailable
from rootward.ports import JobHandler, JsonValue

log = logging.getLogger(__name__)

_MOST_RINGS = 1000
"""Jobs that a sweep tells of at most."""


class CeleryJobs:
    """Jobs as rows; Celery's message is a doorbell, and says only that a lane has work.

    Whoever hears it takes the first due job of the lane, under a lease that it renews while the
    job runs. A job whose lease runs out waits again; what its first taker writes then counts for
    nothing. A sweep in each serving process rings again for jobs that nobody took, so that a
    broker that forgets delays work and loses none.
    """

    def __init__(self, means: Means, working: Working | None = None) -> None:
        self._means = means
        self._working = working or Working()
        self._runs = means.runs()
        self._queue = self._runs.queue
        self._doorbell = Doorbell(means.make_app())
        self._crews: list[Crew] = []
        self._relay: Relay | None = None
        self._closed = threading.Event()
        self._sweeper: threading.Thread | None = None

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        """Queue a job; once this returns, the job survives a crash of process and broker.

        Raises:
            Busy: `max_backlog` jobs wait or run; nothing was taken.
            InvalidInput: the payload is no JSON.
            Unavailable: the database does not answer; nothing was taken.
        """
        self._runs.put(name, payload, delay_seconds)
        if delay_seconds <= 0:
            self._doorbell.ring(lane_of(name))

    def every(self, name: str, seconds: float) -> None:
        """Run a job now and at every multiple of so many seconds, once for all who ask.

        Raises:
            Unavailable: the database does not answer.
        """
        self._queue.every(name, seconds)

    def serve(self, make_handlers: Callable[[], Mapping[str, JobHandler]]) -> None:
        """Start Celery workers as children of this process; each of their children calls
        `make_handlers` once, at its first job."""
        if self._sweeper is not None:
            raise InvalidInput("these jobs are served already")
        self._relay = Relay()
        bench = Bench(self._means, self._working, make_handlers, self._relay)
        for lanes, size in ((SWIFT, 1), (frozenset({Lane.BATCH}), self._working.processes)):
            self._crews.append(Crew(lanes, size, self._means.make_app, bench))
        for crew in self._crews:
            crew.start()
        self._sweeper = threading.Thread(target=self._sweep, name="rootward-sweep", daemon=True)
        self._sweeper.start()

    def backlog(self) -> int:
        """Jobs that wait or run."""
        return self._queue.count()

    def close(self) -> None:
        """Finish the jobs in hand and stop serving; idempotent."""
        self._closed.set()
        if self._sweeper is not None:
            self._sweeper.join()
        for crew in self._crews:
            crew.tell_to_stop()
        for crew in self._crews:
            crew.stop(self._working.drain_seconds)
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        self._doorbell.close()
        self._queue.close()

    def _sweep(self) -> None:
        while not self._closed.wait(self._until_next_look()):
            try:
                self._queue.tick()
                self._queue.reclaim()
                self._ring_for_unheard()
                self._runs.measure()
            except Unavailable as error:
                log.warning("sweep waits for the database", extra={"reason": str(error)})
            if self._relay is not None:
                self._relay.hear()
            for crew in self._crews:
                crew.revive()

    def _until_next_look(self) -> float:
        most = self._working.sweep_seconds
        try:
            now = self._queue.now()
            due = self._queue.next_due_unix(after_unix=now)
        except Unavailable:
            return most
        return most if due is None else min(most, max(due - now, 0.0))

    def _ring_for_unheard(self) -> None:
        told = []
        for job_id, lane in self._queue.unheard(self._working.ring_again_seconds, _MOST_RINGS):
            if not self._doorbell.ring(lane):
                break
            told.append(job_id)
        if told:
            self._queue.told(told)
