"""What every job queue keeps to, and what the embedded one promises beyond."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.embedded import ThreadJobs
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.queues import SqlJobQueue, dead_letters
from rootward.errors import Busy, InsufficientData, InvalidInput, Unavailable
from rootward.ports import Clock, Jobs
from rootward.telemetry import DEAD_LETTERS
from rootward.testing.fakes import FakeJobs, ManualClock
from tests.contract.databases import MakeDatabase
from tests.contract.deliveries import BOUND_SECONDS, Deliveries

EAGER = Policy(first_wait_seconds=0.0, outage_wait_seconds=0.01)
MOST = 5


def _threads(database: Database, clock: Clock, workers: int = 1, most: int = MOST) -> ThreadJobs:
    return ThreadJobs(SqlJobQueue(database, clock), most, workers=workers, policy=EAGER)


class Bench:
    """Jobs with one handler, `note`, that notes its payload."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.ran = Deliveries()

    def serve(self) -> None:
        self.jobs.serve(lambda: {"note": lambda **payload: self.ran(payload)})

    def outcome(self, count: int) -> list[dict[str, object]]:
        """Every payload that has been run, once so many have, and the jobs are closed."""
        if isinstance(self.jobs, FakeJobs):
            self.jobs.run_all()
        self.ran.wait_for(count)
        self.jobs.close()
        return self.ran.seen


@pytest.fixture(params=["threads", "fake"])
def bench(
    request: pytest.FixtureRequest, database: Database, clock: ManualClock
) -> Iterator[Bench]:
    threads = request.param == "threads"
    made = Bench(_threads(database, clock) if threads else FakeJobs(clock, MOST))
    yield made
    made.jobs.close()


class TestEveryJobQueue:
    def test_a_payload_arrives_as_it_was(self, bench: Bench):
        payload = {"incident_id": "id0", "params": {"lag": 2, "x": [1.5, None, True]}, "ü": "ß"}
        bench.jobs.submit("note", **payload)
        bench.serve()

        assert bench.outcome(1) == [payload]

    def test_jobs_run_in_the_order_of_their_submission(self, bench: Bench):
        for k in range(MOST):
            bench.jobs.submit("note", k=k)
        bench.serve()

        assert bench.outcome(MOST) == [{"k": k} for k in range(MOST)]

    def test_an_equal_job_that_waits_is_the_same_job(self, bench: Bench):
        for _ in range(3):
            bench.jobs.submit("note", a=1, b=2)
            bench.jobs.submit("note", b=2, a=1)
        bench.jobs.submit("note", a=1, b=3)
        assert bench.jobs.backlog() == 2
        bench.serve()

        assert bench.outcome(2) == [{"a": 1, "b": 2}, {"a": 1, "b": 3}]

    def test_a_delayed_job_waits_for_the_clock(self, bench: Bench, clock: ManualClock):
        bench.jobs.submit("note", delay_seconds=60.0, k="later")
        bench.jobs.submit("note", k="now")
        bench.serve()
        if isinstance(bench.jobs, FakeJobs):
            bench.jobs.run_all()
        assert bench.ran.wait_for(1) == [{"k": "now"}]
        assert bench.jobs.backlog() >= 1

        clock.advance(60.0)

        assert bench.outcome(2) == [{"k": "now"}, {"k": "later"}]

    def test_an_equal_job_submitted_without_delay_brings_it_forward(self, bench: Bench):
        bench.jobs.submit("note", delay_seconds=1e6, k=1)
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert bench.outcome(1) == [{"k": 1}]

    def test_an_equal_job_submitted_with_more_delay_does_not_put_it_off(self, bench: Bench):
        bench.jobs.submit("note", k=1)
        bench.jobs.submit("note", delay_seconds=1e6, k=1)
        bench.serve()

        assert bench.outcome(1) == [{"k": 1}]

    def test_a_full_queue_is_busy_and_takes_nothing(self, bench: Bench):
        for k in range(MOST):
            bench.jobs.submit("note", k=k)
        with pytest.raises(Busy, match=f"{MOST} jobs wait"):
            bench.jobs.submit("note", k=MOST)
        bench.serve()

        assert bench.outcome(MOST) == [{"k": k} for k in range(MOST)]

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes"])
    def test_a_payload_that_is_no_json_is_refused(self, bench: Bench, value: object):
        submit: Callable[..., None] = bench.jobs.submit
        with pytest.raises(InvalidInput, match="JSON"):
            submit("note", value=value)

        assert bench.jobs.backlog() == 0

    def test_it_may_be_closed_twice(self, bench: Bench):
        bench.serve()
        bench.jobs.close()
        bench.jobs.close()


class TestThreadJobs:
    def test_a_job_that_fails_is_tried_again(self, database: Database, clock: ManualClock):
        bench = Bench(_threads(database, clock))
        bench.ran.fail_with(lambda _, count: ValueError("not yet") if count < 3 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert bench.outcome(3) == [{"k": 1}] * 3
        assert bench.jobs.backlog() == 0
        assert dead_letters(database) == ()

    def test_back_off_follows_the_clock(self, database: Database, clock: ManualClock):
        policy = Policy(first_wait_seconds=100.0, longest_wait_seconds=1000.0)
        bench = Bench(ThreadJobs(SqlJobQueue(database, clock), MOST, workers=1, policy=policy))
        bench.ran.fail_with(lambda job, _: ValueError("no") if job["k"] == 1 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()
        bench.ran.wait_for(1)
        bench.jobs.submit("note", k=2)
        assert bench.ran.wait_for(2) == [{"k": 1}, {"k": 2}]

        clock.advance(100.0)

        assert bench.outcome(3) == [{"k": 1}, {"k": 2}, {"k": 1}]

    def test_after_five_tries_a_job_is_a_dead_letter(self, database: Database, clock: ManualClock):
        bench = Bench(_threads(database, clock))
        counted = DEAD_LETTERS.labels("job")._value.get()
        bench.ran.fail_with(lambda job, _: ZeroDivisionError("p") if job["k"] == 1 else None)
        bench.jobs.submit("note", k=1)
        bench.jobs.submit("note", k=2)
        bench.serve()

        bench.outcome(6)
        assert sorted(job["k"] for job in bench.ran.seen) == [1] * 5 + [2]
        (letter,) = dead_letters(database)
        assert (letter.kind, letter.name, letter.tries) == ("job", "note", 5)
        assert letter.reason == "ZeroDivisionError: p"
        assert json.loads(letter.body) == {"k": 1}
        assert DEAD_LETTERS.labels("job")._value.get() == counted + 1
        assert bench.jobs.backlog() == 0

    def test_a_job_of_an_unknown_name_is_dead_at_once(self, database: Database, clock: ManualClock):
        bench = Bench(_threads(database, clock))
        bench.jobs.submit("from_a_later_version", k=1)
        bench.jobs.submit("note", k=2)
        bench.serve()

        assert bench.outcome(1) == [{"k": 2}]
        (letter,) = dead_letters(database)
        assert "known: note" in letter.reason

    def test_an_outage_does_not_count_as_a_try(self, database: Database):
        bench = Bench(_threads(database, SystemClock()))
        bench.ran.fail_with(lambda _, count: Unavailable("locked") if count < 9 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert len(bench.outcome(9)) == 9
        assert dead_letters(database) == ()

    def test_any_other_error_of_ours_counts_as_a_try(self, database: Database, clock: ManualClock):
        bench = Bench(_threads(database, clock))
        bench.ran.fail_with(lambda *_: InsufficientData("needs 120 rows"))
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert len(bench.outcome(5)) == 5
        assert dead_letters(database)[0].reason == "InsufficientData: needs 120 rows"

    def test_a_job_submitted_while_its_equal_runs_runs_too(
        self, database: Database, clock: ManualClock
    ):
        jobs, ran = _threads(database, clock), Deliveries()
        started, go_on = threading.Event(), threading.Event()

        def handler(k: int) -> None:
            started.set()
            assert go_on.wait(BOUND_SECONDS)
            ran(k)

        jobs.serve(lambda: {"hold": handler})
        jobs.submit("hold", k=1)
        assert started.wait(BOUND_SECONDS)
        jobs.submit("hold", k=1)
        go_on.set()

        assert ran.wait_for(2) == [1, 1]
        jobs.close()

    def test_a_long_job_does_not_hold_up_another_worker(
        self, database: Database, clock: ManualClock
    ):
        jobs, meeting = _threads(database, clock, workers=2), threading.Barrier(2)
        ran = Deliveries()

        def handler(k: int) -> None:
            meeting.wait(BOUND_SECONDS)
            ran(k)

        jobs.submit("meet", k=1)
        jobs.submit("meet", k=2)
        jobs.serve(lambda: {"meet": handler})

        assert sorted(ran.wait_for(2)) == [1, 2]
        jobs.close()

    def test_each_worker_gets_its_own_handlers(self, database: Database, clock: ManualClock):
        made = Deliveries()
        jobs = _threads(database, clock, workers=3)
        jobs.serve(lambda: made("one") or {})
        jobs.close()

        assert len(made.seen) == 3

    def test_a_restart_runs_what_is_left(self, database: Database, clock: ManualClock):
        first = _threads(database, clock)
        first.submit("note", k=1)
        first.submit("note", k=2)
        first.close()

        bench = Bench(_threads(database, clock))
        assert bench.jobs.backlog() == 2
        bench.serve()
        assert bench.outcome(2) == [{"k": 1}, {"k": 2}]
        assert _threads(database, clock).backlog() == 0

    def test_a_job_that_was_running_when_the_process_ended_runs_again(
        self, database: Database, clock: ManualClock
    ):
        queue = SqlJobQueue(database, clock)
        queue.put("default", "note", '{"k":1}', 0.0)
        assert queue.take() is not None
        queue.put("default", "note", '{"k":1}', 0.0)  # submitted while its equal ran

        bench = Bench(_threads(database, clock))
        bench.serve()

        assert bench.outcome(1) == [{"k": 1}]
        assert bench.jobs.backlog() == 0

    def test_a_job_that_ends_the_process_each_time_is_a_dead_letter(
        self, database: Database, clock: ManualClock
    ):
        queue = SqlJobQueue(database, clock)
        queue.put("default", "note", '{"k":1}', 0.0)
        for _ in range(5):
            assert queue.take() is not None
            queue.recover()

        bench = Bench(_threads(database, clock))
        bench.jobs.submit("note", k=2)
        bench.serve()

        assert bench.outcome(1) == [{"k": 2}]
        assert "the process ended 5 times" in dead_letters(database)[0].reason

    def test_a_clock_that_was_set_back_does_not_put_jobs_off(self, database: Database):
        ahead = _threads(database, ManualClock(4e9))
        ahead.submit("note", delay_seconds=10.0, k=1)
        ahead.close()

        clock = ManualClock(1.7e9)
        bench = Bench(_threads(database, clock))
        bench.serve()
        clock.advance(10.0)

        assert bench.outcome(1) == [{"k": 1}]

    def test_only_one_process_serves_those_of_a_file(
        self, make_database: MakeDatabase, clock: ManualClock
    ):
        url = make_database("sqlite")
        database, other = open_database(url), open_database(url)
        migrate(database)
        first, second = _threads(database, clock), _threads(other, clock)
        first.serve(dict)
        with pytest.raises(Unavailable, match="another process serves the jobs"):
            second.serve(dict)

        first.close()
        second.serve(dict)
        second.close()
        database.close()
        other.close()


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
