"""What the bus of several processes promises beyond, held against a real broker."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from kafka import KafkaAdminClient

from rootward.adapters.kafka.bus import KafkaBus
from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.reading import Membership
from rootward.adapters.kafka.records import partition_of
from rootward.errors import Unavailable
from rootward.model.series import Sample, SampleBatch, Series
from tests.contract.buses import CART, EAGER, MOST, batch_of, number_of
from tests.contract.deliveries import BOUND_SECONDS, Deliveries
from tests.contract.topics import own_topics
from tests.real.brokers import KafkaServer
from tests.real.cable import cable
from tests.real.children import until
from tests.real.tls import Certificate, behind_tls, certificate

_JOIN_GROUP = 11
"""The number of the request, as in https://kafka.apache.org/protocol#protocol_api_keys."""


@dataclass(frozen=True)
class Group:
    """Processes that share the work of one topic."""

    cluster: Cluster
    closing: ExitStack

    def member(self, name: str = "one") -> KafkaBus:
        """A bus that is closed after the test."""
        named = Membership(name, session_seconds=6.0, rejoin_seconds=20.0)
        bus = KafkaBus(self.cluster, 99, named, policy=EAGER, patience_seconds=2.0)
        self.closing.callback(bus.close)
        return bus


@pytest.fixture
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    with ExitStack() as stack:
        yield Group(own_topics(request.getfixturevalue("kafka")), stack)


@pytest.mark.services
class TestKafkaBus:
    def test_a_batch_of_many_services_keeps_the_order_of_each(self, group: Group):
        bus, arrived = group.member(), Deliveries()
        services = [Series.of("cpu_usage", f"s{k}") for k in range(20)]
        for time in range(5):
            bus.publish(SampleBatch.of([Sample(one, 1.0 + time, 7.0) for one in services]))
        bus.serve(arrived)
        until(lambda: bus.backlog() == 0, "all is handled")
        bus.close()

        times: dict[str, list[float]] = {one.service: [] for one in services}
        for batch in arrived.seen:
            for k, time in zip(batch.index.tolist(), batch.times.tolist(), strict=True):
                times[batch.series[k].service].append(time)
        assert set(map(tuple, times.values())) == {(1.0, 2.0, 3.0, 4.0, 5.0)}
        assert len(arrived.seen) == 5 * group.cluster.partitions

    def test_a_batch_beyond_what_a_broker_takes_is_cut(self, group: Group):
        bus, arrived = group.member(), Deliveries()
        rows = np.arange(150_000)
        sent = SampleBatch("default", (CART,), np.zeros(len(rows), np.int32), 1.0 + rows, rows / 7)
        bus.publish(sent)
        bus.serve(arrived)
        until(lambda: bus.backlog() == 0, "all is handled")
        bus.close()

        assert len(arrived.seen) == 4
        assert np.array_equal(np.concatenate([b.values for b in arrived.seen]), sent.values)

    def test_it_refuses_while_no_broker_answers_and_goes_on_when_one_does(self):
        server, arrived = KafkaServer(), Deliveries()
        with ExitStack() as stack:
            group = Group(own_topics(server.url), stack)
            bus = group.member()
            bus.serve(lambda batch: arrived(number_of(batch)))
            with pytest.raises(Unavailable, match="Kafka does not answer"):
                bus.publish(batch_of(0))

            with server:
                until(lambda: _published(bus, batch_of(1)), "the bus takes a batch")
                until(lambda: 1 in arrived.seen, "it is handed over")
                until(lambda: server.has_saved(group.cluster.samples), "the topic is saved")
                server.kill()
                with pytest.raises(Unavailable):
                    bus.publish(batch_of(2))
                with pytest.raises(Unavailable):
                    bus.backlog()
                server.start()
                until(lambda: _published(bus, batch_of(3)), "the bus takes a batch again")
                until(lambda: 3 in arrived.seen, "it is handed over")
                bus.close()

    def test_a_joining_that_stays_without_an_answer_is_tried_again(self, kafka: str):
        with cable(urlsplit(kafka).port or 0) as line, ExitStack() as stack:
            group = Group(own_topics(f"kafka://127.0.0.1:{line.port}"), stack)
            bus, arrived = group.member(), Deliveries()
            line.swallow(_JOIN_GROUP)
            bus.serve(lambda batch: arrived(number_of(batch)))
            assert line.silenced.wait(BOUND_SECONDS)
            line.swallow(None)
            bus.publish(batch_of(1))
            until(lambda: 1 in arrived.seen, "it is handed over")
            bus.close()

    def test_a_topic_that_was_deleted_is_declared_again(self, group: Group):
        bus, arrived, samples = group.member(), Deliveries(), group.cluster.samples
        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(1))
        arrived.wait_for(1)
        with closing(KafkaAdminClient(bootstrap_servers=group.cluster.servers)) as admin:
            admin.delete_topics([samples])

        until(lambda: _published(bus, batch_of(2)), "the bus takes a batch again")
        until(lambda: 2 in arrived.seen, "it is handed over")

    def test_brokers_behind_tls_ask_for_our_certificate_and_we_check_theirs(
        self, kafka: str, tmp_path: Path
    ):
        theirs, ours = certificate(tmp_path, "broker"), certificate(tmp_path, "rootward")
        stranger = certificate(tmp_path, "stranger")

        def url(port: int, trusted: Certificate, shown: Certificate) -> str:
            files = f"ca={trusted.file}&cert={shown.file}&key={shown.key}"
            return f"kafka+tls://127.0.0.1:{port}?{files}"

        with ExitStack() as stack:
            upstream = int(kafka.rpartition(":")[2])
            port = stack.enter_context(behind_tls(upstream, theirs, trusted=ours))
            let_in = Group(own_topics(url(port, theirs, ours)), stack)
            bus, arrived = let_in.member(), Deliveries()
            bus.serve(lambda batch: arrived(number_of(batch)))
            bus.publish(batch_of(1))

            assert arrived.wait_for(1) == [1]
            for wrong in (url(port, stranger, ours), url(port, theirs, stranger)):
                with pytest.raises(Unavailable, match="Kafka does not answer"):
                    Group(own_topics(wrong), stack).member().publish(batch_of(2))

    def test_partitions_of_a_member_that_leaves_go_to_another(self, group: Group):
        first, second = group.member("one"), group.member("two")
        first.serve(lambda _: None)
        second.serve(lambda _: None)
        until(lambda: _owned(first) and _owned(second), "both have partitions")
        assert _owned(first).isdisjoint(_owned(second))
        assert _owned(first) | _owned(second) == EVERY
        second.close()
        until(lambda: _owned(first) == EVERY, "one has them all")

    def test_a_member_that_was_killed_has_its_partitions_back_at_once(self, group: Group):
        cluster = group.cluster
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _READER, cluster.servers[0], cluster.prefix],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        bus = group.member()
        for k in range(MOST):
            bus.publish(batch_of(k))
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == "0\n"
            child.send_signal(signal.SIGKILL)
        child.wait(BOUND_SECONDS)

        arrived = Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))
        assert arrived.wait_for(MOST) == list(range(MOST))


_READER = """
import sys, threading
from rootward.adapters.kafka.bus import KafkaBus
from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.reading import Membership
from rootward.adapters.kafka.records import partition_of

def handle(batch):
    sys.stdout.write(f"{int(batch.values[0])}\\n")
    sys.stdout.flush()
    threading.Event().wait()

cluster = Cluster((sys.argv[1],), 3, prefix=sys.argv[2])
KafkaBus(cluster, 99, Membership("one")).serve(handle)
threading.Event().wait()
"""


EVERY = frozenset(range(3))


def _owned(bus: KafkaBus) -> frozenset[int]:
    share = bus.share()
    held = (name for name in map(str, range(100)) if share.has("t", name))
    return frozenset(partition_of("t", name, len(EVERY)) for name in held)


def _published(bus: KafkaBus, batch: SampleBatch) -> bool:
    try:
        bus.publish(batch)
    except Unavailable:
        return False
    return True
