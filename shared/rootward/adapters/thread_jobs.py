"""Jobs run by threads of this process; each is a row until it has run."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from rootward.adapters.delivery import Delivery, Outcome, Policy
from rootward.adapters.job_runs import JobRuns, too_long
from rootward.adapters.lanes import ALL, LIMIT_SECONDS, SWIFT, Lane, lane_of
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.job_queue import QueuedJob, SqlJobQueue
from rootward.errors import InvalidInput, Unavailable
from rootward.ports import JobHandler, JsonValue

log = logging.getLogger(__name__)

LONGEST_STOP_SECONDS = 10.0
"""How long a stop waits for a job in hand; its row stays, so that it is not lost."""

_LONGEST_LOOK_SECONDS = 0.2
"""How long to wait at most before looking at the clock again: it need not run in real time."""

_MakeHandlers = Callable[[], Mapping[str, JobHandler]]


@dataclass(eq=False)
class _Hand:
    """A thread, and what it is doing."""

    lanes: Collection[Lane]
    handlers: Mapping[str, JobHandler]
    thread: threading.Thread | None = None
    taken: QueuedJob | None = None
    until: float = 0.0
    """When the job is at its limit, on the monotonic clock."""
    left: bool = False
    """Given up on with its job: it ends when the job does."""


class ThreadJobs:
    """Threads that take jobs: `workers` of them any job, one more only what is done soon.

    A thread cannot be stopped. One whose job goes beyond its limit is left to itself, the job is
    given up on, and another thread takes its place.
    """

    def __init__(
        self,
        queue: SqlJobQueue,
        max_backlog: int,
        *,
        workers: int = 2,
        policy: Policy | None = None,
        limit_seconds: Mapping[Lane, float] = LIMIT_SECONDS,
    ) -> None:
        self._queue = queue
        self._policy = policy or Policy()
        self._runs = JobRuns(queue, max_backlog, self._policy)
        self._workers = workers
        self._limits = limit_seconds
        self._wake = threading.Condition()
        self._changes = 0
        self._closed = False
        self._hands: list[_Hand] = []
        self._make_handlers: _MakeHandlers = dict
        self._claim: Claim | None = None

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        """Queue a job; once this returns, the job survives a crash of the process.

        Raises:
            Busy: `max_backlog` jobs wait or run; nothing was taken.
            InvalidInput: the payload is no JSON.
            Unavailable: the database does not answer; nothing was taken.
        """
        self._runs.put(name, payload, delay_seconds)
        self._tell()

    def every(self, name: str, seconds: float) -> None:
        """Run a job now and at every multiple of so many seconds.

        Raises:
            Unavailable: the database does not answer.
        """
        self._queue.every(name, seconds)
        self._tell()

    def serve(self, make_handlers: _MakeHandlers) -> None:
        """Start running jobs, first those that an earlier process left.

        Raises:
            Unavailable: another process serves the jobs of this database.
        """
        if self._hands:
            raise InvalidInput("these jobs are served already")
        self._claim = self._queue.claim()
        self._queue.recover()
        self._make_handlers = make_handlers
        for lanes in (SWIFT, *[ALL] * self._workers):
            self._start(lanes)
        threading.Thread(target=self._watch, name="rootward-jobs-limit", daemon=True).start()

    def backlog(self) -> int:
        """Jobs that wait or run."""
        return self._queue.count()

    def close(self) -> None:
        """Finish the jobs in hand and stop serving; idempotent."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        threads = [hand.thread for hand in self._hands if hand.thread is not None]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(LONGEST_STOP_SECONDS)
        if any(thread.is_alive() for thread in threads):
            log.warning("a job did not end in time; it runs again after the next start")
        if self._claim is not None:
            self._claim.let_go()

    def _start(self, lanes: Collection[Lane]) -> None:
        hand = _Hand(lanes, self._make_handlers())
        name = f"rootward-jobs-{len(self._hands)}"
        hand.thread = threading.Thread(target=self._run, args=(hand,), name=name, daemon=True)
        self._hands.append(hand)
        hand.thread.start()

    def _run(self, hand: _Hand) -> None:
        while not self._closed and not hand.left:
            try:
                taken = self._next(hand.lanes)
                if taken is not None:
                    self._work(hand, taken)
            except Exception:
                log.exception("jobs stumbled, go on")
                self._pause(self._policy.outage_wait_seconds)

    def _next(self, lanes: Collection[Lane]) -> QueuedJob | None:
        """A job that is due; None where others came or went while it waited for one."""
        seen = self._changes
        due = self._queue.next_due_unix(lanes)
        with self._wake:
            while not self._closed and self._changes == seen:
                wait = None if due is None else due - self._queue.now()
                if wait is not None and wait <= 0:
                    break
                self._wake.wait(None if wait is None else min(wait, _LONGEST_LOOK_SECONDS))
            else:
                return None
        if self._queue.tick():
            self._tell()
        return self._queue.take(lanes)

    def _work(self, hand: _Hand, taken: QueuedJob) -> None:
        with self._wake:
            hand.until = time.monotonic() + self._limits[lane_of(taken.name)]
            hand.taken = taken
            self._wake.notify_all()
        delivery = self._runs.run(taken, hand.handlers)
        with self._wake:
            hand.taken = None
            if hand.left:
                log.warning("job ended after its limit", extra={"job": taken.name})
                return
        self._settle(taken, delivery, hand.handlers)

    def _settle(
        self, taken: QueuedJob, delivery: Delivery, handlers: Mapping[str, JobHandler]
    ) -> None:
        while not self._settled(taken, delivery, handlers):
            self._pause(self._policy.outage_wait_seconds)
            if self._closed:  # the row stays, and the job runs again after the next start
                return

    def _settled(
        self, taken: QueuedJob, delivery: Delivery, handlers: Mapping[str, JobHandler]
    ) -> bool:
        try:
            self._runs.settle(taken, delivery, handlers)
        except Unavailable as error:
            log.warning("jobs wait for the database", extra={"reason": str(error)})
            return False
        self._tell()
        return True

    def _watch(self) -> None:
        """Give up on jobs that go beyond their limit."""
        while not self._closed:
            with self._wake:
                running = [hand for hand in self._hands if hand.taken is not None]
                first = min((hand.until for hand in running), default=None)
                now = time.monotonic()
                if first is None or first > now:
                    self._wake.wait(None if first is None else first - now)
                    continue
                late = [(hand, hand.taken) for hand in running if hand.until <= now]
                for hand, _ in late:
                    hand.left = True
                    self._hands.remove(hand)
            for hand, taken in late:
                self._abandon(hand, taken)

    def _abandon(self, hand: _Hand, taken: QueuedJob | None) -> None:
        self._start(hand.lanes)
        if taken is not None:
            reason = too_long(self._limits[lane_of(taken.name)])
            delivery = Delivery(Outcome.DEAD, f"{type(reason).__name__}: {reason}")
            self._settle(taken, delivery, hand.handlers)

    def _tell(self) -> None:
        with self._wake:
            self._changes += 1
            self._wake.notify_all()

    def _pause(self, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._closed, seconds)
