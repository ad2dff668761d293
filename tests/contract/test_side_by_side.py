"""Several processes on one database: who opens, who registers, who serves, who comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from rootward import bootstrap
from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.embedded import EmbeddedBus
from rootward.adapters.sql.arrivals import Arrivals
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.incidents import SqlIncidentStore
from rootward.adapters.sql.quarantine import SqlQuarantine
from rootward.adapters.sql.queues import SqlBatchQueue
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.errors import Unavailable
from rootward.model.alert import Alert, AlertStatus
from rootward.model.incident import Change, Incident
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform, WindowQuery
from rootward.settings import Settings
from rootward.testing.fakes import ManualClock
from rootward_worker import alarms
from rootward_worker.options import WorkerOptions
from tests.contract.databases import MakeDatabase
from tests.contract.deliveries import BOUND_SECONDS, Deliveries

START = 1_700_000_000.0
CART = Series.of("latency_p99", "cart")
ALERT = Alert("default", "f00", START, AlertStatus.FIRING, "cart", (), (), seen_unix=START)
EAGER = Policy(first_wait_seconds=0.0, outage_wait_seconds=0.01)
PROCESSES = 4


def _incident(name: str) -> Incident:
    change = Change(CART, START, 5.5, 1.0, 9.0)
    return Incident(name, "default", START, START, CART, (change,), "cart is slow")


@pytest.fixture
def make_platform(database_url: str) -> Iterator[Callable[[], Platform]]:
    """Builds a platform on the test's database, as each process does for itself."""
    with ExitStack() as closing:

        def make() -> Platform:
            built = bootstrap.build(Settings(database_url=database_url))
            closing.callback(built.close)
            return built

        yield make


def _looking_together(platform: Platform, looked: threading.Barrier) -> Platform:
    """One that opens no incident before all others have seen, too, that there is none."""
    look = platform.incidents.current

    def together(tenant: str) -> tuple[Incident, ...]:
        found = look(tenant)
        looked.wait(BOUND_SECONDS)
        return found

    platform.incidents.current = together  # type: ignore[method-assign]
    return platform


def _at_once(work: Callable[[int], object]) -> list[object]:
    """What each of the processes makes of it, all starting together."""
    ready = threading.Barrier(PROCESSES)

    def one(k: int) -> object:
        ready.wait(BOUND_SECONDS)
        return work(k)

    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(one, range(PROCESSES)))


def test_of_detectors_that_see_one_fault_at_once_one_opens_the_incident(
    reopened: Callable[[], Database],
):
    stores = [SqlIncidentStore(reopened()) for _ in range(PROCESSES)]

    def open_one(k: int) -> Incident:
        return stores[k].open_or_join(
            lambda current: current[0] if current else _incident(f"id{k}")
        )

    found = _at_once(open_one)

    assert len({one.id for one in found}) == 1
    assert [one.number for one in stores[0].current()] == [1]


def test_what_several_change_in_one_incident_is_all_kept(reopened: Callable[[], Database]):
    stores = [SqlIncidentStore(reopened()) for _ in range(PROCESSES)]
    stores[0].open(_incident("id0"))

    def add(k: int) -> Incident:
        more = Change(Series.of("errors", f"s{k}"), START, 1.0, 0.0, 1.0)
        return stores[k].revise("id0", lambda now: replace(now, changes=(*now.changes, more)))

    _at_once(add)

    assert stores[0].get("id0").services == ("cart", *(f"s{k}" for k in range(PROCESSES)))


def test_an_alert_that_several_see_to_at_once_opens_one_incident_and_its_end_closes_it(
    make_platform: Callable[[], Platform],
):
    looked = threading.Barrier(PROCESSES)
    platforms = [_looking_together(make_platform(), looked) for _ in range(PROCESSES)]
    reader = make_platform()
    (fired,) = reader.alerts.put([ALERT])

    def see_to(k: int) -> None:
        alarms.alerts(platforms[k], WorkerOptions(), keys=[fired.key], status="firing")

    _at_once(see_to)
    (opened,) = reader.incidents.current()
    known = reader.alerts.get(fired.key)
    reader.alerts.put([replace(ALERT, status=AlertStatus.RESOLVED, ends_unix=START + 60)])
    alarms.alerts(reader, WorkerOptions(), keys=[fired.key], status="resolved")

    assert (known.incident_id, known.opened, opened.number) == (opened.id, True, 1)
    assert reader.incidents.current() == ()
    assert reader.incidents.get(opened.id).resolved_unix == START + 60


def test_incidents_opened_at_once_are_numbered_without_a_gap(reopened: Callable[[], Database]):
    stores = [SqlIncidentStore(reopened()) for _ in range(PROCESSES)]

    found = _at_once(lambda k: stores[k].open(_incident(f"id{k}")).number)

    assert sorted(found) == [1, 2, 3, 4]


def test_a_series_that_several_register_at_once_is_one(reopened: Callable[[], Database]):
    stores = [SqlSampleStore(reopened(), fan_in=4) for _ in range(PROCESSES)]
    names = [Series.of(f"m{n}", "cart") for n in range(300)]

    def append(k: int) -> None:
        mine = names[k:] + names[:k]  # each in an order of its own
        for row in range(5):
            time = START + PROCESSES * row + k
            stores[k].append(SampleBatch.of([Sample(one, time, float(k)) for one in mine]))

    _at_once(append)

    assert [info.series for info in stores[0].series()] == sorted(names)
    window = stores[1].window(WindowQuery(START + 19, 20, 1.0))
    np.testing.assert_array_equal(window.values, np.tile(np.arange(4.0), 5)[:, None] * np.ones(300))


def test_a_body_that_fails_in_several_processes_is_counted_once_for_each(
    reopened: Callable[[], Database],
):
    shelves = [SqlQuarantine(reopened(), ManualClock()) for _ in range(PROCESSES)]

    found = _at_once(lambda k: shelves[k].keep("otlp", b"a", "bug"))

    assert sorted(found) == [1, 2, 3, 4]


@pytest.mark.services
class TestBusOfSeveral:
    """The bus of a PostgreSQL database: many publish, one serves, another takes over."""

    @pytest.fixture
    def url(self, make_database: MakeDatabase) -> str:
        return make_database("postgresql")

    @pytest.fixture
    def bus(self, url: str, request: pytest.FixtureRequest) -> Callable[[int], EmbeddedBus]:
        """A bus as each process has its own."""

        def make(most: int = 1000) -> EmbeddedBus:
            database = open_database(url)
            arrivals = Arrivals(database)
            made = EmbeddedBus(SqlBatchQueue(database, SystemClock(), arrivals), most, EAGER)
            request.addfinalizer(database.close)
            request.addfinalizer(made.close)
            return made

        return make

    def test_what_others_publish_is_handed_over_once_and_in_the_order_of_each(
        self, bus: Callable[..., EmbeddedBus]
    ):
        arrived, publishers = Deliveries(), [bus() for _ in range(PROCESSES)]
        bus().serve(lambda batch: arrived(int(batch.values[0])))

        def publish(k: int) -> None:
            for n in range(25):
                publishers[k].publish(SampleBatch.of([Sample(CART, START, 100.0 * k + n)]))

        _at_once(publish)

        seen = arrived.wait_for(100)
        assert len(seen) == 100
        for k in range(PROCESSES):
            assert [n for n in seen if n // 100 == k] == [100 * k + n for n in range(25)]

    def test_a_publisher_counts_what_others_put_and_take(self, bus: Callable[..., EmbeddedBus]):
        one, other, arrived = bus(), bus(), Deliveries()
        one.publish(SampleBatch.of([Sample(CART, START, 1.0)]))
        assert other.backlog() == 1

        other.serve(arrived)
        arrived.wait_for(1)
        other.close()
        assert one.backlog() == 0

    def test_another_process_serves_once_the_first_has_ended(self, bus: Callable[..., EmbeddedBus]):
        first, second, arrived = bus(), bus(), Deliveries()
        first.serve(lambda _: None)
        with pytest.raises(Unavailable, match="another process serves the bus"):
            second.serve(arrived)
        first.close()

        second.serve(arrived)
        second.publish(SampleBatch.of([Sample(CART, START, 1.0)]))
        assert len(arrived.wait_for(1)) == 1
