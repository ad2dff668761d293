"""The dead letters of the bus: a topic of their own, read up to where they were tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from rootward.adapters.kafka.clients import CONNECT_SECONDS, connected, in_words
from rootward.adapters.kafka.cluster import Admin, Cluster
from rootward.adapters.kafka.publisher import Publisher
from rootward.adapters.kafka.records import Record, headers_of
from rootward.errors import InvalidInput, Unavailable
from rootward.ports import DEFAULT_TENANT, DeadLetter

log = logging.getLogger(__name__)


class KafkaDeadLetters:
    """Batches that the detectors gave up on; brokers forget them after their retention."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._place = TopicPartition(cluster.dead_letters, 0)

    def all(self) -> tuple[DeadLetter, ...]:
        """Every letter that waits, oldest first; raises Unavailable."""
        try:
            with closing(self._consumer()) as consumer:
                return tuple(_letter(record) for record in self._waiting(consumer))
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka does not answer: {in_words(error)}") from error

    def replay(self, again: Callable[[DeadLetter], None]) -> int:
        """Hand over each letter, oldest first, and forget those that are taken.

        One that is refused goes to the end of the topic. Raises Unavailable.
        """
        taken = 0
        try:
            with closing(self._consumer()) as consumer, closing(Publisher(self._cluster)) as back:
                for record in self._waiting(consumer):
                    taken += self._taken(record, again, back)
                    done = OffsetAndMetadata(record.offset + 1, "", -1)
                    consumer.commit({self._place: done}, timeout_ms=int(1000 * CONNECT_SECONDS))
        except (KafkaError, OSError) as error:
            raise Unavailable(f"Kafka does not answer: {in_words(error)}") from error
        return taken

    def _taken(
        self, record: ConsumerRecord, again: Callable[[DeadLetter], None], back: Publisher
    ) -> bool:
        try:
            again(_letter(record))
        except InvalidInput as error:
            log.warning("letter stays", extra={"letter": record.offset, "reason": str(error)})
            kept = Record(0, record.key or b"", record.value)
            back.send(self._cluster.dead_letters, [kept], list(record.headers))
            return False
        return True

    def _consumer(self) -> KafkaConsumer:
        with closing(Admin(self._cluster)) as admin:
            admin.partitions()  # declares the topics
        consumer = connected(
            KafkaConsumer,
            self._cluster.servers,
            self._cluster.network,
            group_id=f"{self._cluster.dead_letters}.replay",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
        )
        consumer.assign([self._place])
        return consumer

    def _waiting(self, consumer: KafkaConsumer) -> Iterator[ConsumerRecord]:
        """The records that are there now, behind the last one that was tried again."""
        patience = int(1000 * CONNECT_SECONDS)
        end = consumer.end_offsets([self._place], timeout_ms=patience)[self._place]
        while consumer.position(self._place, timeout_ms=patience) < end:
            polled = consumer.poll(timeout_ms=patience)
            if not polled:
                raise Unavailable("Kafka does not hand over the dead letters")
            for record in polled[self._place]:
                if record.offset < end:
                    yield record


def _letter(record: ConsumerRecord) -> DeadLetter:
    told = headers_of(record)
    return DeadLetter(
        kind="batch",
        tenant=told.get("tenant", DEFAULT_TENANT),
        name="",
        reason=told.get("reason", ""),
        tries=int(told.get("tries", "0")),
        body=record.value,
    )
