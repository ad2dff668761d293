"""CeleryJobs on real brokers: the promises of every queue, and what it survives."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rootward.adapters.celery_workers import Working
from rootward.adapters.clock import SystemClock
from rootward.adapters.lanes import LIMIT_SECONDS
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.queues import dead_letters
from rootward.testing.fakes import ManualClock
from tests.contract.databases import MakeDatabase
from tests.contract.deliveries import BOUND_SECONDS, Deliveries
from tests.contract.job_promises import EAGER, MOST, Bench, DurableJobs, EveryJobQueue, MakeBench
from tests.real.brokers import Broker, RabbitServer, RedisServer
from tests.real.children import below, until
from tests.real.remote_jobs import Plan, RemoteJobs, SharedClock

SWIFTLY = Working(
    processes=1, lease_seconds=2.0, sweep_seconds=0.2, ring_again_seconds=1.0, drain_seconds=30.0
)
REAL = SystemClock()


@pytest.fixture
def clock(tmp_path: Path) -> ManualClock:
    """One that the nodes read, too."""
    return SharedClock(tmp_path / "clock")


@pytest.fixture
def url(kind: str, make_database: MakeDatabase) -> str:
    return make_database(kind)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = open_database(url)
    yield made
    made.close()


@pytest.fixture
def make_bench(broker: Broker, url: str, tmp_path: Path) -> Iterator[MakeBench]:
    made: list[RemoteJobs] = []

    def make(*, workers: int = 1, most: int = MOST, **more: Any) -> Bench:
        working = replace(
            SWIFTLY, processes=workers, limit_seconds=more.get("limit_seconds", LIMIT_SECONDS)
        )
        shared = None if isinstance(more.get("clock"), SystemClock) else tmp_path / "clock"
        policy = more.get("policy", EAGER)
        made.append(RemoteJobs(Plan(broker.jobs_url, url, shared, most, policy, working)))
        return Bench(made[-1])

    yield make
    for one in made:
        one.close()


class OnABroker(EveryJobQueue, DurableJobs):
    """What Celery's workers survive."""

    def test_a_job_whose_child_is_killed_runs_again_and_counts_once(
        self, make_bench: MakeBench, database: Database
    ):
        bench, go_on = make_bench(clock=REAL), threading.Event()
        jobs = _remote(bench)

        def hold(k: int) -> None:
            bench.ran(k)
            if len(bench.ran.seen) == 1:
                os.kill(_callbacks(jobs).running[-1], signal.SIGKILL)
                assert go_on.wait(BOUND_SECONDS)

        jobs.submit("hold", k=1)
        bench.serve(lambda: {"hold": hold})

        assert bench.ran.wait_for(2) == [1, 1]
        go_on.set()
        until(lambda: jobs.backlog() == 0, "the second run has settled")
        assert dead_letters(database) == ()

    def test_a_serving_process_that_is_killed_leaves_nothing_behind_and_loses_nothing(
        self, make_bench: MakeBench
    ):
        bench, holding, go_on = make_bench(clock=REAL), threading.Event(), threading.Event()
        jobs = _remote(bench)

        def hold(k: int) -> None:
            bench.ran(k)
            holding.set()
            assert go_on.wait(BOUND_SECONDS)

        for k in range(3):
            jobs.submit("hold", k=k)
        bench.serve(lambda: {"hold": hold})
        assert holding.wait(BOUND_SECONDS)
        until(lambda: len(below(jobs.nodes[0].pid)) >= 4, "two workers with a child each")
        family = below(jobs.nodes[0].pid)
        jobs.stop(signal.SIGKILL)
        go_on.set()
        bench.serve()

        until(lambda: jobs.backlog() == 0, "all jobs are done")
        assert set(bench.ran.seen) == {0, 1, 2}
        until(lambda: not any(_alive(pid) for pid in family), "its workers have ended")

    def test_a_broker_that_is_down_takes_jobs_all_the_same_and_they_run_when_it_is_back(
        self, make_bench: MakeBench, broker: Broker
    ):
        bench = make_bench(clock=REAL)
        bench.serve()
        bench.jobs.submit("note", k=0)
        bench.ran.wait_for(1)
        broker.kill()
        try:
            for k in range(1, 4):
                bench.jobs.submit("note", k=k)
        finally:
            broker.start()

        until(lambda: bench.jobs.backlog() == 0, "all have settled")
        assert sorted(job["k"] for job in bench.ran.seen) == [0, 1, 2, 3]

    def test_a_job_in_hand_outlives_a_restart_of_the_broker_and_runs_once(
        self, make_bench: MakeBench, broker: Broker
    ):
        bench, holding, go_on = make_bench(clock=REAL), threading.Event(), threading.Event()

        def hold(k: int) -> None:
            bench.ran(k)
            holding.set()
            assert go_on.wait(BOUND_SECONDS)

        bench.jobs.submit("hold", k=1)
        bench.serve(lambda: {"hold": hold})
        assert holding.wait(BOUND_SECONDS)
        broker.kill()
        broker.start()
        go_on.set()
        bench.jobs.submit("hold", k=2)

        until(lambda: bench.jobs.backlog() == 0, "both have settled")
        assert bench.ran.seen == [1, 2]

    def test_sigterm_ends_the_job_in_hand_and_leaves_the_rest_for_others(
        self, make_bench: MakeBench
    ):
        bench, holding, go_on = make_bench(clock=REAL), threading.Event(), threading.Event()
        jobs = _remote(bench)

        def hold(k: int) -> None:
            holding.set()
            assert go_on.wait(BOUND_SECONDS)
            bench.ran(k)

        for k in range(3):
            jobs.submit("hold", k=k)
        bench.serve(lambda: {"hold": hold})
        assert holding.wait(BOUND_SECONDS)
        threading.Timer(0.5, go_on.set).start()

        assert jobs.stop() == [0]
        assert bench.ran.seen == [0]
        assert jobs.backlog() == 2

    def test_several_nodes_run_each_job_once(self, make_bench: MakeBench):
        bench = make_bench(clock=REAL, workers=2, most=1000)
        for k in range(60):
            bench.jobs.submit("note", k=k)
        bench.serve()
        bench.serve()

        bench.ran.wait_for(60)
        until(lambda: bench.jobs.backlog() == 0, "all have settled")
        assert sorted(job["k"] for job in bench.ran.seen) == list(range(60))

    def test_a_recurring_job_runs_once_a_time_with_several_schedulers(
        self, make_bench: MakeBench, clock: ManualClock
    ):
        bench = make_bench()
        clock.set(1_700_000_400.0)
        for _ in range(3):
            bench.serve()
        bench.jobs.every("note", 600.0)
        for times in range(1, 6):
            bench.ran.wait_for(times)
            until(lambda: bench.jobs.backlog() == 0, "it has settled")
            clock.advance(600.0)
        bench.ran.wait_for(6)
        until(lambda: bench.jobs.backlog() == 0, "it has settled")

        bench.jobs.close()
        assert len(bench.ran.seen) == 6


class TestOnRedis(OnABroker):
    """On PostgreSQL, as services in processes of their own are."""

    @pytest.fixture
    def kind(self) -> str:
        return "postgresql"

    @pytest.fixture
    def broker(self, redis_server: RedisServer) -> RedisServer:
        return redis_server

    def test_a_flushed_redis_delays_work_and_loses_none(
        self, make_bench: MakeBench, redis_server: RedisServer
    ):
        bench, holding, go_on = make_bench(clock=REAL), threading.Event(), threading.Event()

        def hold(k: int) -> None:
            holding.set()
            assert go_on.wait(BOUND_SECONDS)
            bench.ran(k)

        bench.serve(lambda: {"hold": hold})
        for k in range(5):
            bench.jobs.submit("hold", k=k)
        assert holding.wait(BOUND_SECONDS)
        redis_server.flush()
        go_on.set()

        assert bench.ran.wait_for(5) == [0, 1, 2, 3, 4]

    def test_a_job_that_ends_its_child_each_time_is_a_dead_letter(
        self, make_bench: MakeBench, database: Database
    ):
        bench = make_bench(clock=REAL)
        jobs = _remote(bench)
        told = Deliveries()

        def fatal() -> None:
            bench.ran("fatal")
            os.kill(_callbacks(jobs).running[-1], signal.SIGKILL)

        jobs.submit("fatal")
        bench.serve(lambda: {"fatal": fatal, "given_up": lambda **it: told(it["reason"])})

        (reason,) = told.wait_for(1)
        assert reason == "the process ended 5 times while this job ran"
        assert bench.ran.seen == ["fatal"] * 5
        assert [one.name for one in dead_letters(database)] == ["fatal"]


class TestOnRabbitMQ(OnABroker):
    """On a SQLite file, as `rootward up` with workers of its own may be."""

    @pytest.fixture
    def kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    def broker(self, rabbit_server: RabbitServer) -> RabbitServer:
        return rabbit_server


@pytest.mark.slow
class TestOnRedisWithSQLite(OnABroker):
    """The pairs that are not in every run, here and below; database and broker know nothing of
    each other."""

    @pytest.fixture
    def kind(self) -> str:
        return "sqlite"

    @pytest.fixture
    def broker(self, redis_server: RedisServer) -> RedisServer:
        return redis_server


@pytest.mark.slow
class TestOnRabbitMQWithPostgreSQL(OnABroker):
    @pytest.fixture
    def kind(self) -> str:
        return "postgresql"

    @pytest.fixture
    def broker(self, rabbit_server: RabbitServer) -> RabbitServer:
        return rabbit_server


def _remote(bench: Bench) -> RemoteJobs:
    assert isinstance(bench.jobs, RemoteJobs)
    return bench.jobs


def _callbacks(jobs: RemoteJobs) -> Any:
    assert jobs.callbacks is not None
    return jobs.callbacks


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
