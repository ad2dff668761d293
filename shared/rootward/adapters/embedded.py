"""The durable embedded bus and thread jobs: bounded, and they encode as a network would."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence

from rootward.adapters.delivery import Delivery, Outcome, Policy, given_up
from rootward.adapters.intake import GroupCommit, Places
from rootward.adapters.sql.arrivals import Packed
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.queues import QueuedBatch, QueuedJob, SqlBatchQueue, SqlJobQueue
from rootward.errors import InvalidInput, InvalidParameters, Unavailable
from rootward.model.series import SampleBatch
from rootward.ports import DEFAULT_TENANT, BatchHandler, JobHandler, JsonValue
from rootward.telemetry import BUS_BACKLOG, JOBS_BACKLOG

log = logging.getLogger(__name__)

LONGEST_STOP_SECONDS = 10.0
"""How long a stop waits for a job in hand; its row stays, so that it is not lost."""

_LONGEST_LOOK_SECONDS = 0.2
"""How long to wait at most before looking at the clock again: it need not run in real time."""


class EmbeddedBus:
    """A bus inside one process: `publish` is one durable insert, one thread hands over in order.

    What was handled is deleted in the commit of the next `publish`, which costs no sync of its
    own, or when a second passes without one. A crash hands over again what was not deleted yet.
    """

    _READ = 32
    """Batches read at once."""
    _IDLE_SECONDS = 1.0

    def __init__(
        self, queue: SqlBatchQueue, max_backlog: int, policy: Policy | None = None
    ) -> None:
        self._queue = queue
        self._policy = policy or Policy()
        self._commit = GroupCommit(self._put)
        self._places = Places(max_backlog, "batches")
        self._places.change(queue.count())
        self._wake = threading.Condition()
        self._news = True
        self._closed = False
        self._handled = 0
        """Id of the last batch that was dealt with."""
        self._removed = 0
        self._thread: threading.Thread | None = None
        self._claim: Claim | None = None

    def publish(self, batch: SampleBatch) -> None:
        """Take a batch; once this returns, the batch survives a crash of the process.

        Raises:
            Busy: `max_backlog` batches wait; nothing was taken.
            InvalidInput: a time is no Unix time; nothing was taken.
            Unavailable: the database does not answer; nothing was taken.
        """
        if not len(batch):
            return
        item = self._queue.packed(batch)
        self._places.take()
        try:
            self._commit.add(item)
        except BaseException:
            self._places.change(-1)
            raise
        BUS_BACKLOG.set(self._places.taken)
        with self._wake:
            self._news = True
            self._wake.notify()

    def serve(self, handler: BatchHandler) -> None:
        """Start handing batches to `handler`, first those that an earlier process left.

        Raises:
            Unavailable: another process serves the bus of this database.
        """
        if self._thread is not None:
            raise InvalidInput("this bus is served already")
        self._claim = self._queue.claim()
        self._thread = threading.Thread(
            target=self._run, args=(handler,), name="rootward-bus", daemon=True
        )
        self._thread.start()

    def backlog(self) -> int:
        """Batches taken and not yet handled."""
        return self._places.taken

    def close(self) -> None:
        """Finish the batch in hand and stop serving; idempotent."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        try:
            self._tidy()
        except Unavailable as error:
            log.warning("handled batches stay queued", extra={"reason": str(error)})
        if self._claim is not None:
            self._claim.let_go()

    def _put(self, items: Sequence[Packed]) -> None:
        handled = self._handled
        self._queue.put(items, handled)
        self._removed = handled

    def _run(self, handler: BatchHandler) -> None:
        while not self._closed:
            try:
                if self._wait_for_news():
                    self._drain(handler)
                else:
                    self._tidy()
            except Exception:
                log.exception("bus stumbled, goes on")
                self._pause(self._policy.outage_wait_seconds)
                self._news = True

    def _wait_for_news(self) -> bool:
        idle = self._IDLE_SECONDS if self._handled > self._removed else None
        with self._wake:
            self._wake.wait_for(lambda: self._news or self._closed, idle)
            news, self._news = self._news, False
            return news and not self._closed

    def _tidy(self) -> None:
        handled = self._handled
        if handled > self._removed:
            self._queue.remove(handled)
            self._removed = handled

    def _drain(self, handler: BatchHandler) -> None:
        while batches := self._queue.after(self._handled, self._READ):
            for batch in batches:
                if not self._hand_over(batch, handler):
                    return
                self._handled = batch.id
                self._places.change(-1)
                BUS_BACKLOG.set(self._places.taken)
            if len(batches) == self._READ:  # many wait: do not let their rows pile up
                self._tidy()

    def _hand_over(self, batch: QueuedBatch, handler: BatchHandler) -> bool:
        """Whether the batch is dealt with: handled, or dead. Order matters, so retries block."""
        tries = 0
        while not self._closed:
            delivery = self._policy.deliver(lambda: handler(batch.batch()), tries + 1, "batch")
            if delivery.outcome is Outcome.DONE:
                return True
            if delivery.outcome is Outcome.DEAD:
                self._queue.bury(batch, delivery.reason, tries + 1)
                given_up("batch", "", delivery.reason)
                return True
            if delivery.outcome is Outcome.OUTAGE:
                self._pause(self._policy.outage_wait_seconds)
                continue
            tries += 1
            self._pause(self._policy.wait_seconds(tries))
        return False

    def _pause(self, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._closed, seconds)


class ThreadJobs:
    """Jobs run by threads of this process; each is a row until it has run."""

    def __init__(
        self,
        queue: SqlJobQueue,
        max_backlog: int,
        *,
        workers: int = 2,
        policy: Policy | None = None,
    ) -> None:
        self._queue = queue
        self._policy = policy or Policy()
        self._workers = workers
        self._places = Places(max_backlog, "jobs")
        self._places.change(queue.count())
        self._wake = threading.Condition()
        self._changes = 0
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._claim: Claim | None = None

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        """Queue a job; once this returns, the job survives a crash of the process.

        Raises:
            Busy: `max_backlog` jobs wait or run; nothing was taken.
            InvalidInput: the payload is no JSON.
            Unavailable: the database does not answer; nothing was taken.
        """
        body = _encoded(payload)
        self._places.take()
        try:
            new = self._queue.put(_tenant(payload), name, body, delay_seconds)
        except BaseException:
            self._places.change(-1)
            raise
        if not new:
            self._places.change(-1)
        self._tell()

    def serve(self, make_handlers: Callable[[], Mapping[str, JobHandler]]) -> None:
        """Start running jobs, first those that an earlier process left.

        Raises:
            Unavailable: another process serves the jobs of this database.
        """
        if self._threads:
            raise InvalidInput("these jobs are served already")
        self._claim = self._queue.claim()
        self._places.change(-self._queue.recover())
        self._threads = [
            threading.Thread(
                target=self._run, args=(make_handlers(),), name=f"rootward-jobs-{k}", daemon=True
            )
            for k in range(self._workers)
        ]
        for thread in self._threads:
            thread.start()

    def backlog(self) -> int:
        """Jobs that wait or run."""
        return self._places.taken

    def close(self) -> None:
        """Finish the jobs in hand and stop serving; idempotent."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(LONGEST_STOP_SECONDS)
        if any(thread.is_alive() for thread in self._threads):
            log.warning("a job did not end in time; it runs again after the next start")
        if self._claim is not None:
            self._claim.let_go()

    def _run(self, handlers: Mapping[str, JobHandler]) -> None:
        while not self._closed:
            try:
                taken = self._next()
                if taken is not None:
                    self._settle(taken, self._deliver(taken, handlers))
            except Exception:
                log.exception("jobs stumbled, go on")
                self._pause(self._policy.outage_wait_seconds)

    def _next(self) -> QueuedJob | None:
        """A job that is due; None where others came or went while it waited for one."""
        seen = self._changes
        due = self._queue.next_due_unix()
        with self._wake:
            while not self._closed and self._changes == seen:
                wait = None if due is None else due - self._queue.now()
                if wait is not None and wait <= 0:
                    break
                self._wake.wait(None if wait is None else min(wait, _LONGEST_LOOK_SECONDS))
            else:
                return None
        return self._queue.take()

    def _deliver(self, taken: QueuedJob, handlers: Mapping[str, JobHandler]) -> Delivery:
        if taken.tries > self._policy.tries:
            reason = f"the process ended {taken.tries - 1} times while this job ran"
            return Delivery(Outcome.DEAD, reason)

        def work() -> None:
            if taken.name not in handlers:
                raise InvalidParameters(
                    f"no job is called {taken.name}; known: {', '.join(sorted(handlers))}"
                )
            handlers[taken.name](**json.loads(taken.payload))

        return self._policy.deliver(work, taken.tries, f"job {taken.name}")

    def _settle(self, taken: QueuedJob, delivery: Delivery) -> None:
        while not self._settled(taken, delivery):
            self._pause(self._policy.outage_wait_seconds)
            if self._closed:  # the row stays, and the job runs again after the next start
                return

    def _settled(self, taken: QueuedJob, delivery: Delivery) -> bool:
        try:
            if self._write_outcome(taken, delivery):
                self._places.change(-1)
        except Unavailable as error:
            log.warning("jobs wait for the database", extra={"reason": str(error)})
            return False
        self._tell()
        return True

    def _write_outcome(self, taken: QueuedJob, delivery: Delivery) -> bool:
        """Whether the job has left the queue."""
        if delivery.outcome is Outcome.AGAIN:
            wait = self._policy.wait_seconds(taken.tries)
            return not self._queue.put_back(taken, wait, tries=taken.tries)
        if delivery.outcome is Outcome.OUTAGE:
            wait = self._policy.outage_wait_seconds
            return not self._queue.put_back(taken, wait, tries=taken.tries - 1)
        if delivery.outcome is Outcome.DEAD:
            self._queue.bury(taken, delivery.reason)
            given_up("job", taken.name, delivery.reason)
        else:
            self._queue.remove(taken)
        return True

    def _tell(self) -> None:
        JOBS_BACKLOG.set(self._places.taken)
        with self._wake:
            self._changes += 1
            self._wake.notify_all()

    def _pause(self, seconds: float) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._closed, seconds)


def _encoded(payload: Mapping[str, JsonValue]) -> str:
    try:
        return json.dumps(payload, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the payload of a job must be JSON: {error}") from error


def _tenant(payload: Mapping[str, JsonValue]) -> str:
    tenant = payload.get("tenant", DEFAULT_TENANT)
    return tenant if isinstance(tenant, str) else DEFAULT_TENANT
