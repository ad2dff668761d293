"""What every bus keeps to, and what the embedded one promises beyond."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import cramjam
import pytest
from sqlalchemy import insert, update

from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.embedded import EmbeddedBus
from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.queues import SqlBatchQueue, dead_letters
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.codec import batch_from_bytes, batch_to_bytes
from rootward.errors import Busy, InvalidInput, Unavailable
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Bus, WindowQuery
from rootward.telemetry import DEAD_LETTERS
from rootward.testing.fakes import FakeBus
from tests.contract.databases import refusing
from tests.contract.deliveries import BOUND_SECONDS, Deliveries

CART = Series.of("cpu_usage", "cart")
EAGER = Policy(first_wait_seconds=0.0, outage_wait_seconds=0.01)
MOST = 8


def _batch(k: float) -> SampleBatch:
    return SampleBatch.of([Sample(CART, 1_700_000_000.0 + k, float(k))])


def _number(batch: SampleBatch) -> int:
    return int(batch.values[0])


def _embedded(database: Database, most: int = MOST, policy: Policy = EAGER) -> EmbeddedBus:
    return EmbeddedBus(SqlBatchQueue(database, SystemClock()), most, policy)


@pytest.fixture(params=["embedded", "fake"])
def bus(request: pytest.FixtureRequest, database: Database) -> Iterator[Bus]:
    made = _embedded(database) if request.param == "embedded" else FakeBus(MOST)
    yield made
    made.close()


class TestEveryBus:
    def test_batches_arrive_in_order_and_as_they_were(self, bus: Bus):
        arrived = Deliveries()
        bus.serve(lambda batch: arrived(_number(batch)))
        for k in range(MOST):
            bus.publish(_batch(k))

        assert arrived.wait_for(MOST) == list(range(MOST))

    def test_what_came_before_serving_is_handed_over_first(self, bus: Bus):
        arrived = Deliveries()
        bus.publish(_batch(0))
        bus.publish(_batch(1))
        assert bus.backlog() == 2

        bus.serve(lambda batch: arrived(_number(batch)))
        bus.publish(_batch(2))

        assert arrived.wait_for(3) == [0, 1, 2]
        bus.close()
        assert bus.backlog() == 0

    def test_a_full_bus_is_busy_and_takes_nothing(self, bus: Bus):
        for k in range(MOST):
            bus.publish(_batch(k))

        with pytest.raises(Busy, match=f"{MOST} batches wait"):
            bus.publish(_batch(MOST))

        arrived = Deliveries()
        bus.serve(lambda batch: arrived(_number(batch)))
        arrived.wait_for(MOST)
        bus.close()
        assert arrived.seen == list(range(MOST))

    def test_it_is_served_once(self, bus: Bus):
        bus.serve(lambda _: None)

        with pytest.raises(InvalidInput, match="served already"):
            bus.serve(lambda _: None)

    def test_it_may_be_closed_twice(self, bus: Bus):
        bus.serve(lambda _: None)
        bus.close()
        bus.close()


class TestEmbeddedBus:
    def test_labels_values_and_tenant_survive_the_way(self, database: Database):
        odd = Series.of("größe", "wagen|1", instance='a"b\n', path="/x{}")
        sent = SampleBatch.of(
            [Sample(odd, 1.5, float("nan")), Sample(CART, 1e9, float("inf"))], "zwei"
        )
        arrived, bus = Deliveries(), _embedded(database)
        bus.serve(arrived)
        bus.publish(sent)

        (got,) = arrived.wait_for(1)
        assert (got.tenant, got.series) == ("zwei", sent.series)
        assert [list(c) for c in (got.index, got.times)] == [[0, 1], [1.5, 1e9]]
        assert repr(got.values.tolist()) == "[nan, inf]"
        bus.close()

    def test_threads_may_publish_at_once_and_each_keeps_its_order(self, database: Database):
        bus, arrived = _embedded(database, most=1000), Deliveries()
        bus.serve(lambda batch: arrived(_number(batch)))

        def publish(start: int) -> None:
            for k in range(start, start + 25):
                bus.publish(_batch(k))

        threads = [threading.Thread(target=publish, args=(100 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(BOUND_SECONDS)

        seen = arrived.wait_for(200)
        for n in range(8):
            assert [k for k in seen if k // 100 == n] == list(range(100 * n, 100 * n + 25))
        bus.close()

    def test_a_batch_that_fails_is_tried_again_before_the_next(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        arrived.fail_with(lambda k, count: ValueError("not yet") if k == 0 and count < 3 else None)
        bus.publish(_batch(0))
        bus.publish(_batch(1))
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(4) == [0, 0, 0, 1]
        bus.close()
        assert dead_letters(database) == ()

    def test_after_five_tries_a_batch_is_a_dead_letter_with_its_reason(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        counted = DEAD_LETTERS.labels("batch")._value.get()
        arrived.fail_with(lambda k, _: ZeroDivisionError("poison") if k == 0 else None)
        bus.publish(_batch(0))
        bus.publish(_batch(1))
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(6) == [0] * 5 + [1]
        bus.close()
        (letter,) = dead_letters(database)
        assert (letter.kind, letter.tries) == ("batch", 5)
        assert letter.reason == "ZeroDivisionError: poison"
        assert _number(batch_from_bytes(letter.body)) == 0
        assert DEAD_LETTERS.labels("batch")._value.get() == counted + 1
        assert bus.backlog() == 0

    def test_what_cannot_be_read_is_dead_at_once_and_stops_nobody(self, database: Database):
        later = {"tenant": "default", "body": b"RWB9 of a later version"}
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(later))
        bus, arrived = _embedded(database), Deliveries()
        bus.publish(_batch(1))
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        (letter,) = dead_letters(database)
        assert letter.reason.startswith("UnreadableBody")
        assert letter.body == b"RWB9 of a later version"

    def test_a_batch_that_an_earlier_version_left_is_handed_over(self, database: Database):
        left = bytes(cramjam.lz4.compress_block(batch_to_bytes(_batch(7))))
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(tenant="default", body=left))
        bus, arrived = _embedded(database), Deliveries()
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(1) == [7]
        bus.close()

    def test_a_damaged_chunk_is_dead_stops_nobody_and_no_reader(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        bus.publish(_batch(0))
        with database.engine.begin() as connection:
            connection.execute(update(tables.chunk).values(body=b"RWA1 and then nothing"))
        bus.publish(_batch(1))
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        (letter,) = dead_letters(database)
        assert letter.body == b"RWA1 and then nothing"
        window = SqlSampleStore(database).window(WindowQuery(1_700_000_001.0, 2, 1.0))
        assert window.values[-1].tolist() == [1.0]

    def test_a_damaged_row_is_dead_and_stops_nobody(self, database: Database):
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(tenant="default", body=b"\x00"))
        bus, arrived = _embedded(database), Deliveries()
        bus.publish(_batch(1))
        bus.serve(lambda batch: arrived(_number(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        assert len(dead_letters(database)) == 1

    def test_an_outage_does_not_count_as_a_try(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        arrived.fail_with(lambda _, count: Unavailable("disk full") if count < 9 else None)
        bus.serve(lambda batch: arrived(_number(batch)))
        bus.publish(_batch(0))

        arrived.wait_for(9)
        bus.close()
        assert arrived.seen == [0] * 9
        assert dead_letters(database) == ()
        assert bus.backlog() == 0

    def test_a_restart_hands_over_what_is_left_and_nothing_else(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        bus.serve(lambda batch: arrived(_number(batch)))
        bus.publish(_batch(0))
        arrived.wait_for(1)
        bus.close()
        bus.publish(_batch(1))
        bus.publish(_batch(2))

        again, rest = _embedded(database), Deliveries()
        assert again.backlog() == 2
        again.serve(lambda batch: rest(_number(batch)))
        rest.wait_for(2)
        again.close()
        assert rest.seen == [1, 2]

    def test_closing_ends_a_long_back_off_and_keeps_the_batch(self, database: Database):
        patient = Policy(first_wait_seconds=1000.0, longest_wait_seconds=1000.0)
        bus, arrived = _embedded(database, policy=patient), Deliveries()
        arrived.fail_with(lambda *_: ValueError("no"))
        bus.serve(lambda batch: arrived(_number(batch)))
        bus.publish(_batch(0))
        arrived.wait_for(1)

        bus.close()

        assert _embedded(database).backlog() == 1

    def test_a_database_that_fails_takes_nothing(self, database: Database):
        bus, arrived = _embedded(database), Deliveries()
        with refusing(database, "INTO queued_batch"), pytest.raises(Unavailable, match="disk"):
            bus.publish(_batch(0))
        assert bus.backlog() == 0

        bus.serve(lambda batch: arrived(_number(batch)))
        bus.publish(_batch(1))
        assert arrived.wait_for(1) == [1]
        bus.close()

    def test_only_one_process_serves_it(self, reopened: Callable[[], Database]):
        first, second = _embedded(reopened()), _embedded(reopened())
        first.serve(lambda _: None)
        with pytest.raises(Unavailable, match="another process serves the bus"):
            second.serve(lambda _: None)

        first.close()
        second.serve(lambda _: None)
        second.close()


_PUBLISHER = """
import sys
from rootward.bootstrap import build
from rootward.model.series import Sample, SampleBatch, Series
from rootward.settings import Settings

platform = build(Settings(database_url=sys.argv[1]))
for k in range(100_000):
    platform.bus.publish(SampleBatch.of([Sample(Series.of("m", "s"), 1.0 + k, float(k))]))
    sys.stdout.write(f"{k}\\n")
    sys.stdout.flush()
"""


def test_what_was_acknowledged_survives_kill_9(database_url: str):
    child = subprocess.Popen(
        [sys.executable, "-c", _PUBLISHER, database_url], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        lines = [child.stdout.readline() for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in [*lines, *child.stdout] if line.endswith("\n")]
    child.wait(BOUND_SECONDS)

    database = open_database(database_url)
    bus, arrived = _embedded(database, most=200_000), Deliveries()
    bus.serve(lambda batch: arrived(_number(batch)))
    arrived.wait_for(len(acknowledged))
    bus.close()
    database.close()

    assert len(acknowledged) >= 20
    assert arrived.seen[: len(acknowledged)] == acknowledged
    assert len(arrived.seen) <= len(acknowledged) + 1
