"""A batch on the embedded bus and the same batch in the sample store are one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from rootward import bootstrap
from rootward.adapters.clock import SystemClock
from rootward.adapters.embedded import EmbeddedBus
from rootward.adapters.sql import tables
from rootward.adapters.sql.arrivals import Arrivals
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.queues import SqlBatchQueue
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.errors import InsufficientData
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import WindowQuery
from rootward.settings import Settings
from rootward.testing.fakes import FakeSampleStore
from tests.contract.databases import MakeDatabase
from tests.contract.deliveries import Deliveries

START = 1_700_000_000.0
CART, SHOP = Series.of("latency", "cart", zone="b"), Series.of("latency", "shop")


def _batch(k: int) -> SampleBatch:
    return SampleBatch.of(
        [
            Sample(SHOP, START + k, float(k)),
            Sample(CART, START + k, -float(k)),
            Sample(SHOP, START + k - 0.5, 0.25),
        ]
    )


class Node:
    """The bus and the store of one process on a database."""

    def __init__(self, database: Database, fan_in: int = 4) -> None:
        self.database = database
        arrivals = Arrivals(self.database)
        self.store = SqlSampleStore(self.database, arrivals, fan_in=fan_in)
        self.bus = EmbeddedBus(SqlBatchQueue(self.database, SystemClock(), arrivals), 1000)

    def rows(self, end: float, rows: int) -> dict[Series, list[float]]:
        window = self.store.window(WindowQuery(end, rows, 1.0))
        return dict(zip(window.series, window.values.T.tolist(), strict=True))


@pytest.fixture
def node(database: Database) -> Iterator[Node]:
    made = Node(database)
    yield made
    made.bus.close()


def _chunks(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(tables.chunk)) or 0


def test_samples_are_seen_once_they_were_appended_and_not_before(node: Node):
    node.bus.publish(_batch(1))
    with pytest.raises(InsufficientData):
        node.rows(START + 1, 2)
    assert node.store.latest_unix() is None

    handled = Deliveries()
    node.bus.serve(lambda batch: (node.store.append(batch), handled(len(batch))))
    handled.wait_for(1)

    assert node.rows(START + 1, 1) == {CART: [-1.0], SHOP: [1.0]}
    assert node.store.latest_unix() == START + 1
    assert _chunks(node.database) == 1


def test_what_is_read_is_what_a_store_of_its_own_would_hold(node: Node):
    plain, handled = FakeSampleStore(), Deliveries()
    node.bus.serve(lambda batch: (node.store.append(batch), handled(len(batch))))
    for k in range(40):
        node.bus.publish(_batch(k // 2))
        plain.append(_batch(k // 2))
    handled.wait_for(40)

    query = WindowQuery(START + 20, 21, 1.0)
    np.testing.assert_array_equal(node.store.window(query).values, plain.window(query).values)
    assert node.store.series() == plain.series()


def test_batches_that_a_crash_left_unhandled_stay_unseen_until_they_are(
    reopened: Callable[[], Database],
):
    before = Node(reopened())
    for k in range(3):
        before.bus.publish(_batch(k))
    before.database.close()  # nothing was handed over

    after, handled = Node(reopened()), Deliveries()
    assert after.store.latest_unix() is None
    seen: list[float | None] = []

    def handle(batch: SampleBatch) -> None:
        after.store.append(batch)
        seen.append(after.store.latest_unix())
        handled(len(batch))

    after.bus.serve(handle)
    handled.wait_for(3)
    after.bus.close()
    assert seen == [START, START + 1, START + 2]
    assert _chunks(after.database) == 3


def test_a_batch_that_was_merged_already_is_not_handed_over_again(reopened: Callable[[], Database]):
    before, handled = Node(reopened(), fan_in=2), Deliveries()
    before.bus.serve(lambda batch: (before.store.append(batch), handled(len(batch))))
    for k in range(5):
        before.bus.publish(_batch(k))
    handled.wait_for(5)
    before.bus.close()
    expected = before.rows(START + 4, 5)
    with before.database.engine.begin() as connection:  # as if a crash had left them queued
        waiting = [{"tenant": "default", "body": b"", "chunk_id": k} for k in range(1, 6)]
        connection.execute(insert(tables.queued_batch), waiting)

    after, again = Node(reopened(), fan_in=2), Deliveries()
    after.bus.serve(lambda batch: (after.store.append(batch), again(len(batch))))
    assert again.wait_for(5) == [0, 0, 0, 0, 3]  # the fifth was the only one not merged
    after.bus.close()

    assert repr(after.rows(START + 4, 5)) == repr(expected)


def test_a_platform_writes_a_batch_once(database_url: str, database: Database):
    platform = bootstrap.build(Settings(database_url=database_url))
    handled = Deliveries()
    platform.bus.serve(lambda batch: (platform.samples.append(batch), handled(len(batch))))
    platform.bus.publish(_batch(1))
    handled.wait_for(1)
    platform.close()

    assert _chunks(database) == 1


def test_a_batch_of_another_database_is_written(node: Node, make_database: MakeDatabase):
    database, handled = open_database(make_database("sqlite")), Deliveries()
    migrate(database)
    other = Node(database)
    other.bus.serve(lambda batch: (node.store.append(batch), handled(len(batch))))
    other.bus.publish(_batch(1))
    handled.wait_for(1)
    other.bus.close()
    database.close()

    assert node.store.latest_unix() == START + 1
