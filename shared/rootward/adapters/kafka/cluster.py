"""Which brokers, which topics, how they are declared, and how far the readers are behind."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import MemberToRemove, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from rootward.adapters.kafka.address import address_of
from rootward.adapters.kafka.clients import (
    CONNECT_SECONDS,
    LEAVE_ALONE_SECONDS,
    connected,
    in_words,
)
from rootward.errors import InvalidConfiguration, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_DEAD_LETTER_SECONDS = 30 * 86_400


@dataclass(frozen=True)
class Cluster:
    """Where the brokers are, and what our topics are called and made like."""

    servers: tuple[str, ...]
    """`host:port` each; those that answer name the others."""
    partitions: int = 12
    """Of the topic of samples, where we create it: as many detectors can share the work."""
    replication: int = -1
    """Copies of a record; -1 leaves it to the brokers."""
    retention_seconds: float = 86_400.0
    """How long the brokers keep samples that nobody has handled."""
    prefix: str = "rootward"
    network: Mapping[str, str] = field(default_factory=dict, repr=False)
    """How clients get there, see `address_of`."""

    @property
    def samples(self) -> str:
        """The topic of sample batches."""
        return f"{self.prefix}.metrics.samples.v1"

    @property
    def dead_letters(self) -> str:
        """The topic of what was given up on."""
        return f"{self.samples}.dlq"

    @property
    def group(self) -> str:
        """The consumer group of the detectors."""
        return f"{self.prefix}-detect"

    @classmethod
    def of(cls, url: str) -> Cluster:
        """A cluster from a URL for `address_of`; it may have partitions, replication and prefix.

        Raises:
            InvalidConfiguration: no such URL; the text says what is wrong.
        """
        address = address_of(url)
        given = dict(address.options)
        try:
            made = cls(
                address.servers,
                int(given.pop("partitions", cls.partitions)),
                int(given.pop("replication", cls.replication)),
                prefix=given.pop("prefix", cls.prefix),
                network=address.network,
            )
        except ValueError as error:
            raise InvalidConfiguration(f"ROOTWARD_BUS_URL: {error}") from error
        if given or made.partitions < 1 or not made.replication or not made.prefix:
            raise InvalidConfiguration(
                "ROOTWARD_BUS_URL takes partitions (1 or more), replication, prefix, mechanism, "
                f"ca, cert and key behind its question mark, not {', '.join(address.options)}"
            )
        return made


class Admin:
    """Declares the topics and measures the backlog; safe to use from several threads."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._lock = threading.Lock()
        self._client: KafkaAdminClient | None = None
        self._partitions = 0
        self._failed = -LEAVE_ALONE_SECONDS
        self._closed = False

    def partitions(self) -> int:
        """Partitions of the topic of samples, which is declared where it is not there yet.

        Raises:
            Unavailable: no broker answers.
        """
        if not self._partitions:
            self._partitions = self._ask(self._declared)
        return self._partitions

    def backlog(self) -> int:
        """Records of the topic that the group has not handled.

        Raises:
            Unavailable: no broker answers.
        """
        count = self.partitions()
        places = [TopicPartition(self._cluster.samples, k) for k in range(count)]
        return self._ask(lambda client: self._behind(client, places))

    def leave(self, instance: str) -> None:
        """Take a named member out of the group, so that its partitions go to others at once."""
        member = MemberToRemove(group_instance_id=instance)
        try:
            if instance:
                self._ask(lambda client: client.remove_group_members(self._cluster.group, [member]))
        except Unavailable as error:
            log.warning("still in the group", extra={"member": instance, "reason": str(error)})

    def close(self) -> None:
        """Let go of the connection; idempotent."""
        with self._lock:
            self._closed = True
            self._drop()

    def _ask(self, question: Callable[[KafkaAdminClient], T]) -> T:
        with self._lock:
            if self._closed:
                raise Unavailable("the bus is closed")
            if self._client is None and time.monotonic() - self._failed < LEAVE_ALONE_SECONDS:
                raise Unavailable("Kafka does not answer: it did not a moment ago")
            try:
                if self._client is None:
                    self._client = connected(
                        KafkaAdminClient,
                        self._cluster.servers,
                        self._cluster.network,
                        request_timeout_ms=int(1000 * CONNECT_SECONDS),
                    )
                return question(self._client)
            except (KafkaError, OSError) as error:
                if isinstance(error, UnknownTopicOrPartitionError):
                    self._partitions = 0  # the topic was deleted, or lost: it is declared again
                self._failed = time.monotonic()
                self._drop()
                raise Unavailable(f"Kafka does not answer: {in_words(error)}") from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _declared(self, client: KafkaAdminClient) -> int:
        one = self._cluster
        for name, partitions, seconds in (
            (one.samples, one.partitions, one.retention_seconds),
            (one.dead_letters, 1, _DEAD_LETTER_SECONDS),
        ):
            wanted = {
                "num_partitions": partitions,
                "replication_factor": one.replication,
                "configs": {"retention.ms": str(int(1000 * seconds))},
            }
            try:
                client.create_topics({name: wanted})
                log.info("topic created", extra={"topic": name, "partitions": partitions})
            except TopicAlreadyExistsError:
                log.debug("topic is there", extra={"topic": name})
        (found,) = client.describe_topics([one.samples])
        if not found["partitions"]:
            raise Unavailable(f"the topic {one.samples} has no partitions yet")
        return len(found["partitions"])

    def _behind(self, client: KafkaAdminClient, places: list[TopicPartition]) -> int:
        group = self._cluster.group
        ends = client.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
        done = client.list_group_offsets({group: places})[group]
        fresh = [one for one in places if done[one].offset < 0]
        starts: Mapping[TopicPartition, int] = {}
        if fresh:  # nobody has committed there: all that is there waits
            found = client.list_partition_offsets(dict.fromkeys(fresh, OffsetSpec.EARLIEST))
            starts = {one: offset.offset for one, offset in found.items()}
        return sum(max(0, ends[one].offset - starts.get(one, done[one].offset)) for one in places)
