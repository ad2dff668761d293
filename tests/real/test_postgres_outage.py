"""PostgreSQL goes away and comes back under us: errors while it is away, and no loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import Connection, func, insert, select

from rootward import bootstrap
from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import open_database
from rootward.errors import NotFound, Unavailable
from rootward.model.alert import Alert, AlertStatus
from rootward.model.incident import Change, Incident
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform, WindowQuery
from rootward.settings import Settings
from tests.contract.deliveries import BOUND_SECONDS, Deliveries
from tests.real.children import until
from tests.real.disk import small_disk
from tests.real.postgres import PostgresServer

START = 1_700_000_000.0
CART = Series.of("latency_p99", "cart")
CHANGE = Change(CART, START, 5.5, 1.0, 9.0)
INCIDENT = Incident("id0", "default", START, START, CART, (CHANGE,), "cart is slow")
ALERT = Alert("default", "f00", START, AlertStatus.FIRING, "cart", (), (), seen_unix=START)

CALLS: dict[str, Callable[[Platform], object]] = {
    "samples.append": lambda p: p.samples.append(_batch(1)),
    "samples.window": lambda p: p.samples.window(WindowQuery(START + 9, 10, 1.0)),
    "samples.check": lambda p: p.samples.check(),
    "incidents.open": lambda p: p.incidents.open(INCIDENT),
    "incidents.open_or_join": lambda p: p.incidents.open_or_join(lambda _: INCIDENT),
    "incidents.page": lambda p: p.incidents.page(),
    "incidents.check": lambda p: p.incidents.check(),
    "results.of": lambda p: p.results.of("id0"),
    "alerts.put": lambda p: p.alerts.put([ALERT]),
    "change_events.page": lambda p: p.change_events.page(),
    "quarantine.keep": lambda p: p.quarantine.keep("otlp", b"body", "bug"),
    "bus.publish": lambda p: p.bus.publish(_batch(2)),
    "jobs.submit": lambda p: p.jobs.submit("note", k=1),
}


def _batch(k: int) -> SampleBatch:
    return SampleBatch.of([Sample(CART, START + k, float(k))])


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that these tests may stop."""
    with PostgresServer() as one:
        yield one


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    name = server.fresh()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def platform(url: str) -> Iterator[Platform]:
    built = bootstrap.build(Settings(database_url=url))
    built.samples.append(_batch(0))
    yield built
    built.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_calls_fail_while_it_is_away_and_work_at_once_when_it_is_back(
    server: PostgresServer, platform: Platform, way: str
):
    getattr(server, way)()
    wrong = {name for name, call in CALLS.items() if not _is_unavailable(call, platform)}
    server.start()

    assert wrong == set()
    for call in CALLS.values():
        call(platform)
    assert platform.incidents.get("id0").number == 1
    assert platform.samples.latest_unix() == START + 1


def _is_unavailable(call: Callable[[Platform], object], platform: Platform) -> bool:
    try:
        call(platform)
    except Unavailable:
        return True
    return False


def test_a_full_disk_refuses_until_there_is_room_and_keeps_what_was_answered():
    with ExitStack() as running:
        disk = running.enter_context(small_disk())
        if disk is None:
            pytest.skip("this user may not mount a disk to be filled")
        server = running.enter_context(PostgresServer("max_wal_size=64MB", folder=disk.folder))
        platform = bootstrap.build(Settings(database_url=server.url(server.fresh())))
        running.callback(platform.close)
        answered: list[int] = []

        def is_refused() -> bool:
            k = len(answered)
            if _is_unavailable(lambda p: p.incidents.open(_named(f"id{k}")), platform):
                return True
            answered.append(k)
            return False

        disk.fill()
        until(is_refused, "it refuses")
        disk.make_room()
        server.recover()
        until(lambda: not is_refused(), "it takes incidents again")

        numbers = [platform.incidents.get(f"id{k}").number for k in answered]
    assert numbers == sorted(set(numbers))
    assert answered


def test_nothing_is_left_of_a_write_that_a_crash_cut_off(server: PostgresServer, url: str):
    bootstrap.build(Settings(database_url=url)).close()
    database = open_database(url)

    def work(connection: Connection) -> None:
        letter = {"tenant": "default", "kind": "body", "name": "x", "reason": "", "tries": 1}
        row = letter | {"dead_unix": START, "body": b""}
        connection.execute(insert(tables.dead_letter), row)
        server.kill()
        connection.execute(insert(tables.dead_letter), row)

    with pytest.raises(Unavailable):
        database.write(work)
    server.start()

    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.dead_letter)) == 0
    database.close()


def test_bus_and_jobs_go_on_where_they_were(server: PostgresServer, platform: Platform):
    batches, jobs = Deliveries(), Deliveries()
    platform.bus.serve(lambda batch: batches(int(batch.values[0])))
    platform.jobs.serve(lambda: {"note": lambda k: jobs(k)})
    platform.bus.publish(_batch(1))
    platform.jobs.submit("note", k=1)
    batches.wait_for(1)
    jobs.wait_for(1)

    server.kill()
    server.start()
    until(lambda: not _is_unavailable(lambda p: p.bus.publish(_batch(2)), platform), "it is back")
    until(lambda: not _is_unavailable(lambda p: p.jobs.submit("note", k=2), platform), "so it is")

    batches.wait_for(2)
    jobs.wait_for(2)
    assert {1, 2} == set(batches.seen) == set(jobs.seen)


def test_what_was_answered_while_it_crashed_again_and_again_is_stored(
    server: PostgresServer, platform: Platform
):
    stored: list[int] = []
    stop = threading.Event()

    def write() -> None:
        for k in range(100_000):
            if stop.is_set():
                return
            name = f"id{k}"
            while not stop.is_set() and _is_unavailable(
                lambda p, name=name: p.incidents.open(_named(name)), platform
            ):
                stop.wait(0.01)
            stored.append(k)

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(3):
        before = len(stored)
        until(lambda before=before: len(stored) > before + 20, "writes go on")
        server.kill()
        server.start()
    stop.set()
    thread.join(BOUND_SECONDS)

    numbers = []
    for k in stored[:-1]:
        try:
            numbers.append(platform.incidents.get(f"id{k}").number)
        except NotFound:
            pytest.fail(f"id{k} was answered and is not there")
    assert numbers == sorted(set(numbers))


def _named(name: str) -> Incident:
    return Incident(name, "default", START, START, CART, (CHANGE,), "cart is slow")
