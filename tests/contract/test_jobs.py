"""What every job queue keeps to, and what the embedded one promises beyond."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from rootward.adapters.clock import SystemClock
from rootward.adapters.lanes import LANES
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.job_queue import Lease, SqlJobQueue
from rootward.adapters.sql.queues import dead_letters
from rootward.adapters.thread_jobs import ThreadJobs
from rootward.errors import InvalidInput, Unavailable
from rootward.ports import Clock
from rootward.telemetry import DEAD_LETTERS
from rootward.testing.fakes import FakeJobs, ManualClock
from rootward_worker.jobs import JOBS
from tests.contract.deliveries import BOUND_SECONDS, Deliveries
from tests.contract.job_promises import EAGER, MOST, Bench, DurableJobs, EveryJobQueue, MakeBench


def _threads(
    database: Database, clock: Clock, *, workers: int = 1, most: int = MOST, **more: Any
) -> ThreadJobs:
    policy = more.pop("policy", EAGER)
    queue = SqlJobQueue(database, clock)
    return ThreadJobs(queue, most, workers=workers, policy=policy, **more)


@pytest.fixture
def make_bench(database: Database, clock: ManualClock) -> MakeBench:
    return lambda clock=clock, **more: Bench(_threads(database, clock, **more))


class TestFakeJobs(EveryJobQueue):
    @pytest.fixture
    def make_bench(self, clock: ManualClock) -> MakeBench:
        return lambda: Bench(FakeJobs(clock, MOST))


class TestThreadJobs(EveryJobQueue, DurableJobs):
    def test_dead_letters_are_counted(self, make_bench: MakeBench):
        bench, counted = make_bench(), DEAD_LETTERS.labels("job", "default")._value.get()
        bench.ran.fail_with(lambda *_: InvalidInput("never"))
        bench.jobs.submit("note", k=1)
        bench.serve()

        bench.outcome(1)
        assert DEAD_LETTERS.labels("job", "default")._value.get() == counted + 1

    def test_each_worker_gets_its_own_handlers(self, make_bench: MakeBench):
        made = Deliveries()
        bench = make_bench(workers=3)
        bench.serve(lambda: made("one") or {})
        bench.jobs.close()

        assert len(made.seen) == 3 + 1  # one for what is done soon

    def test_a_job_that_was_running_when_the_process_ended_runs_again(
        self, make_bench: MakeBench, database: Database, clock: ManualClock
    ):
        queue = SqlJobQueue(database, clock)
        queue.put("default", "note", '{"k":1}', 0.0)
        assert queue.take() is not None
        queue.put("default", "note", '{"k":1}', 0.0)  # submitted while its equal ran

        bench = make_bench()
        bench.serve()

        assert bench.outcome(1) == [{"k": 1}]
        assert bench.jobs.backlog() == 0

    def test_a_job_that_ends_the_process_each_time_is_a_dead_letter(
        self, make_bench: MakeBench, database: Database, clock: ManualClock
    ):
        queue = SqlJobQueue(database, clock)
        queue.put("default", "note", '{"k":1}', 0.0)
        for _ in range(5):
            assert queue.take() is not None
            queue.recover()

        bench = make_bench()
        bench.jobs.submit("note", k=2)
        bench.serve()

        assert bench.outcome(1) == [{"k": 2}]
        assert "the process ended 5 times" in dead_letters(database)[0].reason

    def test_only_one_process_serves_them(
        self, reopened: Callable[[], Database], clock: ManualClock
    ):
        first, second = _threads(reopened(), clock), _threads(reopened(), clock)
        first.serve(dict)
        with pytest.raises(Unavailable, match="another process serves the jobs"):
            second.serve(dict)

        first.close()
        second.serve(dict)
        second.close()


class TestLeases:
    """What keeps two takers of one job apart."""

    @pytest.fixture
    def queue(self, database: Database, clock: ManualClock) -> SqlJobQueue:
        made = SqlJobQueue(database, clock)
        made.put("default", "note", "{}", 0.0)
        return made

    LEASE = Lease("here:1", limit_seconds=600.0, seconds=30.0)

    def test_a_lease_that_ran_out_lets_another_take_the_job_and_write(
        self, queue: SqlJobQueue, database: Database, clock: ManualClock
    ):
        first = queue.take(lease=self.LEASE)
        clock.advance(31.0)
        queue.reclaim()
        second = queue.take(lease=self.LEASE)

        assert first is not None
        assert second is not None
        assert (second.id, second.tries) == (first.id, 2)
        assert not queue.renew(first)
        assert not queue.remove(first)
        assert not queue.put_back(first, 0.0, tries=1)
        assert not queue.bury(first, "too late")
        assert dead_letters(database) == ()
        assert queue.count() == 1
        assert queue.remove(second)
        assert queue.count() == 0

    def test_a_renewed_lease_keeps_the_job(self, queue: SqlJobQueue, clock: ManualClock):
        taken = queue.take(lease=self.LEASE)
        assert taken is not None
        for _ in range(4):
            clock.advance(20.0)
            assert queue.renew(taken, 30.0)
            queue.reclaim()

        assert queue.take(lease=self.LEASE) is None
        assert queue.remove(taken)

    def test_no_renewal_goes_beyond_the_limit_and_the_next_taker_knows(
        self, queue: SqlJobQueue, clock: ManualClock
    ):
        taken = queue.take(lease=self.LEASE)
        assert taken is not None
        for _ in range(30):
            clock.advance(20.0)
            assert queue.renew(taken, 30.0)
        clock.advance(1.0)
        queue.reclaim()
        again = queue.take(lease=self.LEASE)

        assert not taken.overran
        assert again is not None
        assert again.overran

    def test_a_time_of_a_recurring_job_falls_to_one_of_many(
        self, reopened: Callable[[], Database], clock: ManualClock
    ):
        queues = [SqlJobQueue(reopened(), clock) for _ in range(4)]
        for one in queues:
            one.every("expire", 600.0)
        ticked = []
        for _ in range(20):
            start = threading.Barrier(4)
            threads = [threading.Thread(target=_tick, args=(one, start)) for one in queues]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            taken = [queues[0].take(), queues[0].take()]
            ticked.append(sum(one is not None for one in taken))
            for one in filter(None, taken):
                queues[0].remove(one)
            clock.advance(600.0)

        assert ticked == [1] * 20

    def test_jobs_that_nobody_took_are_told_of_again_after_a_while(
        self, queue: SqlJobQueue, clock: ManualClock
    ):
        queue.put("default", "diagnose", "{}", 0.0)
        queue.put("default", "later", "{}", 1e6)
        unheard = queue.unheard(60.0, 10)
        queue.told([job_id for job_id, _ in unheard])

        assert [lane for _, lane in unheard] == ["interactive", "batch"]
        assert queue.unheard(60.0, 10) == []
        clock.advance(61.0)
        assert len(queue.unheard(60.0, 10)) == 2

    def test_every_job_of_the_workers_has_a_lane(self):
        assert JOBS.keys() <= LANES.keys()


def _tick(queue: SqlJobQueue, start: threading.Barrier) -> None:
    start.wait(BOUND_SECONDS)
    queue.tick()


_SUBMITTER = """
import sys
from rootward.bootstrap import build
from rootward.settings import Settings

platform = build(Settings(database_url=sys.argv[1]))
for k in range(100_000):
    platform.jobs.submit("note", k=k)
    sys.stdout.write(f"{k}\\n")
    sys.stdout.flush()
"""


def test_what_was_acknowledged_survives_kill_9(database_url: str):
    child = subprocess.Popen(
        [sys.executable, "-c", _SUBMITTER, database_url], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child.stdout:
        lines = [child.stdout.readline() for _ in range(20)]
        child.send_signal(signal.SIGKILL)
        acknowledged = [int(line) for line in [*lines, *child.stdout] if line.endswith("\n")]
    child.wait(BOUND_SECONDS)

    database = open_database(database_url)
    bench = Bench(_threads(database, SystemClock(), most=200_000))
    bench.serve()
    ran = bench.outcome(len(acknowledged))
    database.close()

    assert len(acknowledged) >= 20
    assert [job["k"] for job in ran[: len(acknowledged)]] == acknowledged
