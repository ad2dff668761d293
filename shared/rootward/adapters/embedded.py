"""The durable embedded bus: bounded, and it encodes as a network would."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from rootward.adapters.delivery import Outcome, Policy, given_up
from rootward.adapters.intake import GroupCommit, Places
from rootward.adapters.sql.arrivals import Packed
from rootward.adapters.sql.dialects.base import Claim
from rootward.adapters.sql.queues import QueuedBatch, SqlBatchQueue
from rootward.errors import InvalidInput, Unavailable
from rootward.model.series import SampleBatch
from rootward.ports import BatchHandler, Everything, Share
from rootward.telemetry import BUS_BACKLOG

log = logging.getLogger(__name__)


class EmbeddedBus:
    """A bus in a database: `publish` is one durable insert, one thread hands over in order.

    On SQLite it stays inside one process. On PostgreSQL many may publish while one serves, which
    looks for news of the others many times a second.

    What was handled is deleted in the commit of the next `publish`, which costs no sync of its
    own, or when a second passes without one. A crash hands over again what was not deleted yet.
    """

    _READ = 32
    """Batches read at once."""
    _IDLE_SECONDS = 1.0
    _LOOK_SECONDS = 0.2

    def __init__(
        self, queue: SqlBatchQueue, max_backlog: int, policy: Policy | None = None
    ) -> None:
        self._queue = queue
        self._policy = policy or Policy()
        self._commit = GroupCommit(self._put)
        self._places = Places(max_backlog, "batches", queue.count if queue.shared else None)
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

    def share(self) -> Share:
        """All of it: nobody else serves this bus."""
        return Everything()

    def backlog(self) -> int:
        """Batches taken and not yet handled."""
        return self._places.counted()

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
                news = self._wait_for_news()
                if news or self._queue.shared:
                    self._keep_claim()
                    self._drain(handler)
                if not news:
                    self._tidy()
            except Unavailable as error:
                log.warning("bus waits for the database", extra={"reason": str(error)})
                self._pause(self._policy.outage_wait_seconds)
                self._news = True
            except Exception:
                log.exception("bus stumbled, goes on")
                self._pause(self._policy.outage_wait_seconds)
                self._news = True

    def _wait_for_news(self) -> bool:
        idle = self._IDLE_SECONDS if self._handled > self._removed else None
        idle = self._LOOK_SECONDS if self._queue.shared else idle
        with self._wake:
            self._wake.wait_for(lambda: self._news or self._closed, idle)
            news, self._news = self._news, False
            return news and not self._closed

    def _keep_claim(self) -> None:
        """Claim the bus again where the connection that held it is gone; another may have it."""
        if self._claim is None or not self._claim.holds():
            claim, self._claim = self._claim, None
            if claim is not None:
                claim.let_go()
            self._claim = self._queue.claim()

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
                given_up("batch", batch.tenant, "", delivery.reason)
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
