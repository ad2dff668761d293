"""Batches cut into Kafka records, and what a kafka:// URL says; no broker is needed."""

from __future__ import annotations

import numpy as np
import pytest
from kafka.partitioner.default import murmur2

from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.records import LARGEST_BYTES, partition_of, records_of
from rootward.codec import batch_from_bytes
from rootward.errors import InvalidConfiguration
from rootward.model.series import Sample, SampleBatch, Series


def _batch(services: int, times: int) -> SampleBatch:
    named = [Series.of("cpu_usage", f"s{k}") for k in range(services)]
    return SampleBatch.of(
        [Sample(one, float(t), float(t * k)) for t in range(times) for k, one in enumerate(named)]
    )


def _told(batch: SampleBatch) -> set[tuple[Series, float, float]]:
    columns = (batch.index.tolist(), batch.times.tolist(), batch.values.tolist())
    return {(batch.series[k], t, v) for k, t, v in zip(*columns, strict=True)}


def test_records_hold_every_sample_once_and_each_service_in_one_partition():
    batch = _batch(services=50, times=4)
    parts = [(one.partition, batch_from_bytes(one.value)) for one in records_of(batch, 6)]

    assert sum(len(part) for _, part in parts) == len(batch)
    assert set().union(*(_told(part) for _, part in parts)) == _told(batch)
    assert sorted(partition for partition, _ in parts) == list(range(6))
    for partition, part in parts:
        assert {partition_of("default", s.service, 6) for s in part.series} == {partition}


def test_the_partition_is_the_one_that_other_clients_choose():
    assert murmur2(b"21") & 0xFFFFFFFF == 0x100000000 - 973932308  # a vector of Kafka's own tests
    (record,) = records_of(_batch(services=1, times=2), 7)
    assert record.key == b"default\0s0"
    assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 7


def test_a_record_is_no_larger_than_brokers_take():
    rows = np.arange(100_000)
    series = (Series.of("m", "s"),)
    large = SampleBatch("t", series, np.zeros(len(rows), np.int32), 1.0 + rows, rows / 3)
    records = list(records_of(large, 3))

    assert max(len(one.value) for one in records) <= LARGEST_BYTES
    values = np.concatenate([batch_from_bytes(one.value).values for one in records])
    assert np.array_equal(values, large.values)


def test_a_url_names_brokers_and_what_topics_are_made_like():
    found = Cluster.of("kafka://a:9092,b:9093?partitions=24&replication=3&prefix=x")
    assert found.servers == ("a:9092", "b:9093")
    assert (found.partitions, found.replication) == (24, 3)
    assert found.samples == "x.metrics.samples.v1"
    assert found.dead_letters == "x.metrics.samples.v1.dlq"


@pytest.mark.parametrize(
    "url",
    ["kafka://", "kafka://a", "kafka://a:b", "kafka://me@a:9092", "kafka://a:1/topic",
     "kafka://a:1?partitions=0", "kafka://a:1?partitions=x", "kafka://a:1?acks=1"],
)  # fmt: skip
def test_a_url_that_says_something_else_is_refused(url: str):
    with pytest.raises(InvalidConfiguration, match="ROOTWARD_BUS_URL"):
        Cluster.of(url)
