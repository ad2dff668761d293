"""One member of the consumer group: hands over in order, commits after the effect."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    CommitFailedError,
    FencedInstanceIdError,
    KafkaError,
    RebalanceInProgressError,
)

from rootward.adapters.delivery import Delivery, Outcome, Policy, given_up
from rootward.adapters.kafka.clients import CONNECT_SECONDS, connected, in_words
from rootward.adapters.kafka.cluster import Admin, Cluster
from rootward.adapters.kafka.merging import Merge
from rootward.adapters.kafka.publisher import Publisher
from rootward.adapters.kafka.records import Record, headers_of
from rootward.codec import batch_from_bytes
from rootward.errors import RootwardError, Unavailable
from rootward.ports import DEFAULT_TENANT, BatchHandler
from rootward.telemetry import BUS_LAG_SECONDS, BUS_PARTITIONS

log = logging.getLogger(__name__)

LONGEST_STOP_SECONDS = 10.0
"""How long a stop waits for the batch in hand."""
_POLL_SECONDS = 0.25
_READ = 32
"""Records that are fetched, and then committed, at once."""
_CLOSE_SECONDS = 5.0
_LOOK_SECONDS = 30.0
"""How often to ask which partitions there are."""


@dataclass(frozen=True)
class Membership:
    """How a process is known to the group."""

    instance: str = ""
    """A name that it keeps over restarts, so that it gets its partitions back at once; empty for
    a member that is new each time."""
    session_seconds: float = 45.0
    """How long a member may be silent before its partitions go to others."""
    rejoin_seconds: float = 60.0
    """How long a member may take over one batch, and the group over sharing out partitions anew.
    A joining that stays without an answer is tried again 5 s after that (30 s at least)."""


@dataclass(frozen=True)
class Ways:
    """What a bus asks and tells the brokers by, besides reading."""

    admin: Admin
    publisher: Publisher


class _Moved(Exception):
    """Partitions moved while a record waited; what was read is read again from the commit on."""


class Reader:
    """Runs in a thread of its own until it is closed."""

    def __init__(
        self,
        cluster: Cluster,
        membership: Membership,
        handler: BatchHandler,
        ways: Ways,
        policy: Policy,
    ) -> None:
        self._cluster = cluster
        self._membership = membership
        self._handler = handler
        self._admin = ways.admin
        self._publisher = ways.publisher
        self._policy = policy
        self._stop = threading.Event()
        self._moves = _Moves()
        self.assigned: frozenset[int] = frozenset()
        """The partitions that come here."""
        self._thread = threading.Thread(target=self._run, name="rootward-bus", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the batch in hand, commit, leave; idempotent."""
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join(LONGEST_STOP_SECONDS)
        if self._thread.is_alive():
            log.warning("a batch did not end in time; it is handed over again")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except _Moved:
                log.info("partitions moved while a batch waited")
                continue
            except FencedInstanceIdError:
                log.error("another member has this name", extra=vars(self._membership))
            except (KafkaError, OSError, Unavailable) as error:
                log.warning("bus does not answer", extra={"reason": in_words(error)})
            except Exception:
                log.exception("bus stumbled, goes on")
            self._stop.wait(self._policy.outage_wait_seconds)

    def _read(self) -> None:
        """Join the group and hand over until told to stop."""
        consumer = self._joined()
        merge = Merge()
        try:
            while not self._stop.is_set():
                self._poll(consumer, merge)
                self._take(consumer, merge)
        finally:
            self.assigned = frozenset()
            consumer.close(autocommit=False, timeout_ms=int(1000 * _CLOSE_SECONDS))

    def _poll(self, consumer: KafkaConsumer, merge: Merge) -> None:
        """Read more, at once where there is something to hand over meanwhile."""
        wait = _POLL_SECONDS if merge.waits(consumer.highwater) else 0.0
        merge.add(consumer.poll(timeout_ms=int(1000 * wait), max_records=_READ))
        if self._moves.look():
            self._reread(consumer, merge)
        self.assigned = frozenset(one.partition for one in consumer.assignment())
        BUS_PARTITIONS.set(len(self.assigned))

    def _reread(self, consumer: KafkaConsumer, merge: Merge) -> None:
        """Start anew with the partitions that are here now, at what was not handed over yet.

        We may be told of a move after records of it were read.
        """
        held = consumer.assignment()
        for place, offset in merge.heads().items():
            if place in held:
                consumer.seek(place, offset)
        merge.restart(held)

    def _joined(self) -> KafkaConsumer:
        one = self._membership
        self._admin.partitions()  # declares the topic: brokers make a small one for who subscribes
        consumer = connected(
            KafkaConsumer,
            self._cluster.servers,
            self._cluster.network,
            group_id=self._cluster.group,
            group_instance_id=one.instance or None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # a new group starts with what is there
            allow_auto_create_topics=False,
            metadata_max_age_ms=int(1000 * _LOOK_SECONDS),
            session_timeout_ms=int(1000 * one.session_seconds),
            heartbeat_interval_ms=int(1000 * one.session_seconds / 10),
            max_poll_interval_ms=int(1000 * one.rejoin_seconds),
        )
        self._moves = _Moves()
        consumer.subscribe([self._cluster.samples], listener=self._moves)
        return consumer

    def _take(self, consumer: KafkaConsumer, merge: Merge) -> None:
        """Hand over the oldest records, and commit them."""
        done: dict[TopicPartition, OffsetAndMetadata] = {}
        try:
            for _ in range(_READ):
                if merge.waits(consumer.highwater):
                    return
                place, record = merge.oldest()
                if not self._hand_over(consumer, record):
                    return
                merge.drop(place)
                done[place] = OffsetAndMetadata(record.offset + 1, "", -1)
        finally:
            if done:
                self._commit(consumer, done)

    def _commit(
        self, consumer: KafkaConsumer, done: dict[TopicPartition, OffsetAndMetadata]
    ) -> None:
        try:
            consumer.commit(done, timeout_ms=int(1000 * CONNECT_SECONDS))
        except (
            CommitFailedError,
            RebalanceInProgressError,
        ) as error:  # others have these partitions now, and do it again
            log.info("commit came too late", extra={"reason": in_words(error)})

    def _hand_over(self, consumer: KafkaConsumer, record: ConsumerRecord) -> bool:
        """Whether the record is dealt with: handled, or dead. Order matters, so retries block."""
        tries = 0
        while not self._stop.is_set():
            delivery = self._policy.deliver(
                lambda: self._handler(batch_from_bytes(record.value)),
                tries + 1,
                "batch",
            )
            if delivery.outcome is Outcome.DONE:
                BUS_LAG_SECONDS.set(max(0.0, time.time() - record.timestamp / 1000))
                return True
            if delivery.outcome is Outcome.DEAD and self._bury(record, delivery, tries + 1):
                return True
            wait = self._policy.outage_wait_seconds
            if delivery.outcome is Outcome.AGAIN:
                tries += 1
                wait = self._policy.wait_seconds(tries)
            self._wait(consumer, wait)
        return False

    def _bury(self, record: ConsumerRecord, delivery: Delivery, tries: int) -> bool:
        """Whether the record is with the dead letters."""
        headers = [
            *record.headers,
            ("reason", delivery.reason.encode()),
            ("tries", str(tries).encode()),
            ("from", f"{record.partition}:{record.offset}".encode()),
        ]
        letter = Record(0, record.key or b"", record.value)
        try:
            self._publisher.send(self._cluster.dead_letters, [letter], headers)
        except RootwardError as error:
            log.warning("dead letter waits", extra={"reason": str(error)})
            return False
        given_up("batch", headers_of(record).get("tenant", DEFAULT_TENANT), "", delivery.reason)
        return True

    def _wait(self, consumer: KafkaConsumer, seconds: float) -> None:
        """Let time go by as a member of the group that reads nothing."""
        held = consumer.assignment()
        consumer.pause(*held)
        until = time.monotonic() + seconds
        while not self._stop.is_set():
            left = max(0.0, until - time.monotonic())
            polled = consumer.poll(timeout_ms=int(1000 * min(left, _POLL_SECONDS)))
            if polled or self._moves.look():
                raise _Moved
            if not left:
                break
        consumer.resume(*held)


class _Moves(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes that partitions came; called from the consumer's own thread."""

    def __init__(self) -> None:
        self._moved = threading.Event()

    def look(self) -> bool:
        """Whether partitions came since the last look."""
        moved = self._moved.is_set()
        self._moved.clear()
        return moved

    def on_partitions_revoked(self, _revoked: object) -> None:
        """What was handled is committed already."""

    def on_partitions_assigned(self, _assigned: object) -> None:
        """Note it."""
        self._moved.set()
