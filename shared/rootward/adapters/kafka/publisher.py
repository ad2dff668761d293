"""Records in, durable on the brokers or an error."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from kafka import KafkaProducer
from kafka.errors import KafkaError

from rootward.adapters.kafka.clients import (
    CONNECT_SECONDS,
    LEAVE_ALONE_SECONDS,
    connected,
    in_words,
)
from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.records import CONTENT_TYPE, Record
from rootward.errors import Busy, Unavailable

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 5.0
Headers = list[tuple[str, bytes]]


class Publisher:
    """An idempotent producer, made when it is needed and replaced once it has failed.

    A record counts once all in-sync replicas have it. After a failure nobody knows what a
    producer will still send, so it goes, and what waited in it is refused. Safe to use from
    several threads.
    """

    def __init__(
        self, cluster: Cluster, *, patience_seconds: float = 10.0, most_bytes: int = 64 * 2**20
    ) -> None:
        self._cluster = cluster
        self._patience = patience_seconds
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._producer: KafkaProducer | None = None
        self._held = 0
        self._failed = -LEAVE_ALONE_SECONDS
        self._closed = False

    def send(self, topic: str, records: Sequence[Record], headers: Headers) -> None:
        """Return once all records are on the brokers.

        Raises:
            Busy: too many bytes wait to be sent; nothing was taken.
            Unavailable: the brokers did not take all of it in time.
        """
        size = sum(len(one.value) for one in records)
        self._take(size)
        try:
            self._send(self._connected(), topic, records, headers)
        finally:
            with self._lock:
                self._held -= size

    def close(self) -> None:
        """Send what waits and let go; idempotent."""
        with self._lock:
            self._closed = True
            producer, self._producer = self._producer, None
        if producer is not None:
            _ended(producer, _CLOSE_SECONDS)

    def _take(self, size: int) -> None:
        with self._lock:
            if self._held and self._held + size > self._most_bytes:
                raise Busy(f"{self._held} bytes wait to be sent, {self._most_bytes} may")
            self._held += size

    def _send(
        self, producer: KafkaProducer, topic: str, records: Sequence[Record], headers: Headers
    ) -> None:
        told = [("content-type", CONTENT_TYPE), *headers]
        until = time.monotonic() + self._patience
        try:
            sent = [
                producer.send(topic, one.value, one.key, headers=told, partition=one.partition)
                for one in records
            ]
            for future in sent:
                future.get(timeout=max(0.0, until - time.monotonic()))
        except (KafkaError, OSError) as error:
            self._replace(producer)
            raise Unavailable(f"Kafka did not take it: {in_words(error)}") from error
        except ValueError as error:  # the topic was made anew, with fewer partitions
            raise Unavailable(f"Kafka did not take it: {error}") from error

    def _connected(self) -> KafkaProducer:
        with self._lock:
            if self._closed:
                raise Unavailable("the bus is closed")
            if self._producer is None:
                if time.monotonic() - self._failed < LEAVE_ALONE_SECONDS:
                    raise Unavailable("Kafka does not answer: it did not a moment ago")
                self._producer = self._made()
            return self._producer

    def _made(self) -> KafkaProducer:
        try:
            return connected(
                KafkaProducer,
                self._cluster.servers,
                self._cluster.network,
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=2,
                allow_auto_create_topics=False,
                max_block_ms=int(1000 * CONNECT_SECONDS),
                request_timeout_ms=int(500 * self._patience),
                delivery_timeout_ms=int(1000 * self._patience),
            )
        except (KafkaError, OSError) as error:
            self._failed = time.monotonic()
            raise Unavailable(f"Kafka does not answer: {in_words(error)}") from error

    def _replace(self, failed: KafkaProducer) -> None:
        with self._lock:
            if self._producer is failed:
                self._producer = None
                self._failed = time.monotonic()
        _ended(failed, 0.0)


def _ended(producer: KafkaProducer, seconds: float) -> None:
    try:
        producer.close(timeout=seconds)
    except KafkaError as error:
        log.warning("producer did not end in order", extra={"reason": in_words(error)})
