"""Batches as Kafka records: one for each partition and request, keyed by tenant and service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from kafka.consumer.fetcher import ConsumerRecord
from kafka.partitioner.default import murmur2

from rootward.codec import batch_to_bytes
from rootward.model.series import SampleBatch, Series

LARGEST_BYTES = 900_000
"""Of a record before compression; brokers take a megabyte unless told otherwise."""
CONTENT_TYPE = b"application/vnd.rootward.samples; version=1"


@dataclass(frozen=True)
class Record:
    """One message, and the partition that it belongs to."""

    partition: int
    key: bytes
    """Tenant and service; the tenant alone where several services share a partition."""
    value: bytes


def headers_of(record: ConsumerRecord) -> dict[str, str]:
    """What stands beside the batch in a record that was read, by name."""
    return {name: value.decode(errors="replace") for name, value in record.headers}


@lru_cache(maxsize=65_536)
def partition_of(tenant: str, service: str, partitions: int) -> int:
    """The partition that all samples of a service travel in, as Kafka's own clients choose it."""
    return int(murmur2(_key(tenant, service)) & 0x7FFFFFFF) % partitions


@dataclass(frozen=True)
class Partitions:
    """The services that some partitions of all hold."""

    held: frozenset[int]
    count: int

    def has(self, tenant: str, service: str) -> bool:
        """Whether the service's partition is among them."""
        return partition_of(tenant, service, self.count) in self.held


def records_of(batch: SampleBatch, partitions: int) -> Iterator[Record]:
    """The records of a batch, in the order of its samples within each partition."""
    split = _split(batch.tenant, batch.series, partitions)
    if len(split) == 1:
        yield from _records(batch, next(iter(split)))
        return
    owner = np.empty(len(batch.series), np.int64)
    for partition, places in split.items():
        owner[places] = partition
    where = owner[batch.index]
    for partition in np.unique(where).tolist():
        yield from _records(_part(batch, np.flatnonzero(where == partition)), partition)


def _records(batch: SampleBatch, partition: int) -> Iterator[Record]:
    value = batch_to_bytes(batch)
    if len(value) > LARGEST_BYTES and len(batch) > 1:
        middle = len(batch) // 2
        for rows in (np.arange(middle), np.arange(middle, len(batch))):
            yield from _records(_part(batch, rows), partition)
        return
    services = {one.service for one in batch.series}
    key = _key(batch.tenant, *services) if len(services) == 1 else _key(batch.tenant)
    yield Record(partition, key, value)


def _part(batch: SampleBatch, rows: np.ndarray) -> SampleBatch:
    """Some samples of a batch, with the series that they need."""
    used, index = np.unique(batch.index[rows], return_inverse=True)
    return SampleBatch(
        batch.tenant,
        tuple(batch.series[k] for k in used.tolist()),
        index.astype(np.int32),
        batch.times[rows],
        batch.values[rows],
    )


# Senders repeat their series scrape by scrape.
@lru_cache(maxsize=32)
def _split(tenant: str, series: tuple[Series, ...], partitions: int) -> dict[int, np.ndarray]:
    """The positions of the series of each partition."""
    owner = np.array([partition_of(tenant, one.service, partitions) for one in series], np.int64)
    return {int(one): np.flatnonzero(owner == one) for one in np.unique(owner)}


def _key(*parts: str) -> bytes:
    return "\0".join(parts).encode()
