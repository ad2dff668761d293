"""The buses under test, and what they carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.embedded import EmbeddedBus
from rootward.adapters.kafka.bus import KafkaBus
from rootward.adapters.kafka.cluster import Cluster
from rootward.adapters.kafka.letters import KafkaDeadLetters
from rootward.adapters.kafka.reading import Membership
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.letters import SqlDeadLetters
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.queues import SqlBatchQueue
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Bus, DeadLetter, DeadLetters
from tests.contract.topics import own_topics

CART = Series.of("cpu_usage", "cart")
EAGER = Policy(first_wait_seconds=0.0, outage_wait_seconds=0.01)
MOST = 8


def batch_of(k: float) -> SampleBatch:
    return SampleBatch.of([Sample(CART, 1_700_000_000.0 + k, float(k))])


def number_of(batch: SampleBatch) -> int:
    return int(batch.values[0])


def embedded(database: Database, most: int = MOST, policy: Policy = EAGER) -> EmbeddedBus:
    return EmbeddedBus(SqlBatchQueue(database, SystemClock()), most, policy)


KAFKA = pytest.param("kafka", marks=pytest.mark.services)


@dataclass(frozen=True)
class Durable:
    """A bus that outlives its process, and what it gave up on."""

    make: Callable[[int, Policy], Bus]
    kept: DeadLetters
    closing: ExitStack

    def bus(self, most: int = MOST, policy: Policy = EAGER) -> Bus:
        """The bus as another process finds it."""
        made = self.make(most, policy)
        self.closing.callback(made.close)
        return made

    def letters(self) -> tuple[DeadLetter, ...]:
        return self.kept.all()


def on_kafka(cluster: Cluster, most: int = MOST, policy: Policy = EAGER) -> KafkaBus:
    return KafkaBus(cluster, most, Membership("detect-1"), policy=policy)


@contextmanager
def opened(request: pytest.FixtureRequest) -> Iterator[Durable]:
    """The bus that the fixture's parameter asks for: Kafka's, or that of a kind of database."""
    with ExitStack() as closing:
        if request.param == "kafka":
            cluster = own_topics(request.getfixturevalue("kafka"))
            yield Durable(partial(on_kafka, cluster), KafkaDeadLetters(cluster), closing)
            return
        url = request.getfixturevalue("make_database")(request.param)
        database = open_database(url)
        migrate(database)
        closing.callback(database.close)
        yield Durable(partial(embedded, database), SqlDeadLetters(database), closing)
