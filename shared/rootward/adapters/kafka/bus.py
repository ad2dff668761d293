"""KafkaBus: the bus for several processes."""

from __future__ import annotations

import logging
import threading
import time

from rootward.adapters.delivery import Policy
from rootward.adapters.kafka.cluster import Admin, Cluster
from rootward.adapters.kafka.publisher import Publisher
from rootward.adapters.kafka.reading import Membership, Reader, Ways
from rootward.adapters.kafka.records import Partitions, records_of
from rootward.errors import Busy, InvalidInput, Unavailable
from rootward.model.series import SampleBatch
from rootward.ports import BatchHandler, Share
from rootward.telemetry import BUS_BACKLOG

log = logging.getLogger(__name__)


class KafkaBus:
    """Batches as records keyed by tenant and service: order per service, at least once.

    Nothing is asked of the brokers before the first use, so that parts may start in any order.
    """

    def __init__(
        self,
        cluster: Cluster,
        max_backlog: int,
        membership: Membership | None = None,
        *,
        policy: Policy | None = None,
        patience_seconds: float = 10.0,
    ) -> None:
        self._cluster = cluster
        self._membership = membership or Membership()
        self._policy = policy or Policy()
        self._admin = Admin(cluster)
        self._publisher = Publisher(cluster, patience_seconds=patience_seconds)
        self._room = _Room(self._admin, max_backlog)
        self._reader: Reader | None = None
        self._closed = False

    def publish(self, batch: SampleBatch) -> None:
        """Take a batch; once this returns, every in-sync replica has all of it.

        Raises:
            Busy: `max_backlog` records wait to be handled, or too many bytes to be sent; nothing
                was taken.
            Unavailable: the brokers do not answer; nothing is promised.
        """
        if not len(batch):
            return
        records = list(records_of(batch, self._admin.partitions()))
        self._room.take(len(records))
        tenant = ("tenant", batch.tenant.encode())
        self._publisher.send(self._cluster.samples, records, [tenant])

    def serve(self, handler: BatchHandler) -> None:
        """Start handing over the batches of this process's share of the partitions.

        The brokers may be away; it begins once they are there.
        """
        if self._reader is not None:
            raise InvalidInput("this bus is served already")
        ways = Ways(self._admin, self._publisher)
        self._reader = Reader(self._cluster, self._membership, handler, ways, self._policy)

    def share(self) -> Share:
        """The services in the partitions that come here."""
        return Partitions(
            self._reader.assigned if self._reader else frozenset(), self._admin.partitions()
        )

    def backlog(self) -> int:
        """Records taken and not yet handled by any process, measured at the brokers.

        Raises:
            Unavailable: the brokers do not answer.
        """
        return self._room.measured()

    def close(self) -> None:
        """Finish and commit the batch in hand, leave the group, send what waits; idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._reader is not None:
            self._reader.close()
            self._admin.leave(self._membership.instance)
        self._publisher.close()
        self._room.settle()
        self._admin.close()


class _Room:
    """How many records may still come in; safe to use from several threads.

    The brokers are asked at most every `_FRESH_SECONDS`; in between our own records are counted,
    so that all processes together pass the bound by no more than they send in that time.
    """

    _FRESH_SECONDS = 1.0
    _FULL_SECONDS = 0.2
    """How often to ask while there is none."""

    def __init__(self, admin: Admin, most: int) -> None:
        self._admin = admin
        self._most = most
        self._lock = threading.Lock()
        self._taken = 0
        self._asked = -self._FRESH_SECONDS
        self._settled = False

    def take(self, count: int) -> None:
        """Take places; raises Busy where none is left."""
        with self._lock:
            full = self._taken >= self._most
            age = time.monotonic() - self._asked
            if age >= (self._FULL_SECONDS if full else self._FRESH_SECONDS):
                self._measure()
            if self._taken >= self._most:
                raise Busy(f"{self._taken} batches wait, {self._most} may")
            self._taken += count

    def measured(self) -> int:
        """What waits, as the brokers know it now; what it was at the end, after that."""
        with self._lock:
            if not self._settled:
                self._measure()
            return self._taken

    def settle(self) -> None:
        """Measure for the last time."""
        with self._lock:
            try:
                self._measure()
            except Unavailable as error:
                log.warning("backlog not measured", extra={"reason": str(error)})
            self._settled = True

    def _measure(self) -> None:
        self._taken = self._admin.backlog()
        self._asked = time.monotonic()
        BUS_BACKLOG.set(self._taken)
