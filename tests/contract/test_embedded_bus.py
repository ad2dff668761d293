"""What the bus of a single process promises beyond."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import cramjam
import pytest
from sqlalchemy import insert, update

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.queues import dead_letters
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.codec import batch_to_bytes
from rootward.errors import Unavailable
from rootward.ports import WindowQuery
from tests.contract.buses import batch_of, embedded, number_of
from tests.contract.databases import refusing
from tests.contract.deliveries import BOUND_SECONDS, Deliveries


class TestEmbeddedBus:
    def test_what_cannot_be_read_is_dead_at_once_and_stops_nobody(self, database: Database):
        later = {"tenant": "default", "body": b"RWB9 of a later version"}
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(later))
        bus, arrived = embedded(database), Deliveries()
        bus.publish(batch_of(1))
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        (letter,) = dead_letters(database)
        assert letter.reason.startswith("UnreadableBody")
        assert letter.body == b"RWB9 of a later version"

    def test_a_batch_that_an_earlier_version_left_is_handed_over(self, database: Database):
        left = bytes(cramjam.lz4.compress_block(batch_to_bytes(batch_of(7))))
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(tenant="default", body=left))
        bus, arrived = embedded(database), Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(1) == [7]
        bus.close()

    def test_a_damaged_chunk_is_dead_stops_nobody_and_no_reader(self, database: Database):
        bus, arrived = embedded(database), Deliveries()
        bus.publish(batch_of(0))
        with database.engine.begin() as connection:
            connection.execute(update(tables.chunk).values(body=b"RWA1 and then nothing"))
        bus.publish(batch_of(1))
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        (letter,) = dead_letters(database)
        assert letter.body == b"RWA1 and then nothing"
        window = SqlSampleStore(database).window(WindowQuery(1_700_000_001.0, 2, 1.0))
        assert window.values[-1].tolist() == [1.0]

    def test_a_damaged_row_is_dead_and_stops_nobody(self, database: Database):
        with database.engine.begin() as connection:
            connection.execute(insert(tables.queued_batch).values(tenant="default", body=b"\x00"))
        bus, arrived = embedded(database), Deliveries()
        bus.publish(batch_of(1))
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(1) == [1]
        bus.close()
        assert len(dead_letters(database)) == 1

    def test_a_database_that_fails_takes_nothing(self, database: Database):
        bus, arrived = embedded(database), Deliveries()
        with refusing(database, "INTO queued_batch"), pytest.raises(Unavailable, match="disk"):
            bus.publish(batch_of(0))
        assert bus.backlog() == 0

        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(1))
        assert arrived.wait_for(1) == [1]
        bus.close()

    def test_only_one_process_serves_it(self, reopened: Callable[[], Database]):
        first, second = embedded(reopened()), embedded(reopened())
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
    bus, arrived = embedded(database, most=200_000), Deliveries()
    bus.serve(lambda batch: arrived(number_of(batch)))
    arrived.wait_for(len(acknowledged))
    bus.close()
    database.close()

    assert len(acknowledged) >= 20
    assert arrived.seen[: len(acknowledged)] == acknowledged
    assert len(arrived.seen) <= len(acknowledged) + 1
