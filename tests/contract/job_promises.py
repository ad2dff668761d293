"""What every job queue keeps to, whoever runs the jobs; each adapter's tests derive from this."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping

import pytest

from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.lanes import LIMIT_SECONDS, Lane
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.queues import dead_letters
from rootward.errors import Busy, InsufficientData, InvalidInput, Unavailable
from rootward.ports import JobHandler, Jobs
from rootward.testing.fakes import FakeJobs, ManualClock
from tests.contract.deliveries import BOUND_SECONDS, Deliveries
from tests.real.children import until

EAGER = Policy(first_wait_seconds=0.0, outage_wait_seconds=0.01)
MOST = 5

Handlers = Mapping[str, JobHandler]


class Bench:
    """Jobs with one handler, `note`, that notes its payload."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.ran = Deliveries()

    def serve(self, make_handlers: Callable[[], Handlers] | None = None) -> None:
        """Start running jobs."""
        self.jobs.serve(make_handlers or self.handlers)

    def handlers(self) -> Handlers:
        """The one handler."""
        return {"note": lambda **payload: self.ran(payload)}

    def outcome(self, count: int) -> list[dict[str, object]]:
        """Every payload that has been run, once so many have, and the jobs are closed."""
        if isinstance(self.jobs, FakeJobs):
            self.jobs.run_all()
        self.ran.wait_for(count)
        self.jobs.close()
        return self.ran.seen


MakeBench = Callable[..., Bench]
"""Makes a bench on the same queue; `workers`, `policy`, `clock`, `most`, `limit_seconds`."""


class EveryJobQueue:
    """Promises of the port."""

    @pytest.fixture
    def bench(self, make_bench: MakeBench) -> Iterator[Bench]:
        made = make_bench()
        yield made
        made.jobs.close()

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

    def test_a_recurring_job_runs_at_once_and_then_by_the_clock(
        self, bench: Bench, clock: ManualClock
    ):
        clock.set(1_700_000_010.0)
        bench.serve()
        for _ in range(3):
            bench.jobs.every("note", 600.0)
        if isinstance(bench.jobs, FakeJobs):
            bench.jobs.run_all()
        assert bench.ran.wait_for(1) == [{}]
        # a clock that leaps would take it from who still has it in hand
        until(lambda: bench.jobs.backlog() == 0, "the first is done with")

        clock.set(1_700_000_400.0)  # a multiple of 600 s

        assert bench.outcome(2) == [{}, {}]

    def test_it_may_be_closed_twice(self, bench: Bench):
        bench.serve()
        bench.jobs.close()
        bench.jobs.close()


class DurableJobs:
    """Promises of those whose jobs are rows."""

    def test_a_job_that_fails_is_tried_again(self, make_bench: MakeBench, database: Database):
        bench = make_bench()
        bench.ran.fail_with(lambda _, count: ValueError("not yet") if count < 3 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert bench.outcome(3) == [{"k": 1}] * 3
        assert bench.jobs.backlog() == 0
        assert dead_letters(database) == ()

    def test_back_off_follows_the_clock(self, make_bench: MakeBench, clock: ManualClock):
        bench = make_bench(policy=Policy(first_wait_seconds=100.0, longest_wait_seconds=1000.0))
        bench.ran.fail_with(lambda job, _: ValueError("no") if job["k"] == 1 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()
        bench.ran.wait_for(1)
        bench.jobs.submit("note", k=2)
        assert bench.ran.wait_for(2) == [{"k": 1}, {"k": 2}]

        clock.advance(100.0)

        assert bench.outcome(3) == [{"k": 1}, {"k": 2}, {"k": 1}]

    def test_after_five_tries_a_job_is_a_dead_letter(
        self, make_bench: MakeBench, database: Database
    ):
        bench = make_bench()
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
        assert bench.jobs.backlog() == 0

    def test_whoever_asks_is_told_of_a_job_that_was_given_up_on(self, make_bench: MakeBench):
        bench, told = make_bench(), Deliveries()
        bench.ran.fail_with(lambda *_: InvalidInput("never"))
        bench.jobs.submit("note", k=1, tenant="north")
        bench.serve(lambda: {**bench.handlers(), "given_up": lambda **it: told(it)})

        (it,) = told.wait_for(1)
        bench.jobs.close()
        assert it == {
            "job": "note",
            "reason": "InvalidInput: never",
            "payload": {"k": 1, "tenant": "north"},
            "tenant": "north",
        }

    def test_a_job_of_an_unknown_name_is_dead_at_once(
        self, make_bench: MakeBench, database: Database
    ):
        bench = make_bench()
        bench.jobs.submit("from_a_later_version", k=1)
        bench.jobs.submit("note", k=2)
        bench.serve()

        assert bench.outcome(1) == [{"k": 2}]
        (letter,) = dead_letters(database)
        assert "known: note" in letter.reason

    def test_an_outage_does_not_count_as_a_try(self, make_bench: MakeBench, database: Database):
        bench = make_bench(clock=SystemClock())
        bench.ran.fail_with(lambda _, count: Unavailable("locked") if count < 9 else None)
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert len(bench.outcome(9)) == 9
        assert dead_letters(database) == ()

    def test_any_other_error_of_ours_counts_as_a_try(
        self, make_bench: MakeBench, database: Database
    ):
        bench = make_bench()
        bench.ran.fail_with(lambda *_: InsufficientData("needs 120 rows"))
        bench.jobs.submit("note", k=1)
        bench.serve()

        assert len(bench.outcome(5)) == 5
        assert dead_letters(database)[0].reason == "InsufficientData: needs 120 rows"

    def test_a_job_submitted_while_its_equal_runs_runs_too(self, make_bench: MakeBench):
        bench, ran = make_bench(), Deliveries()
        started, go_on = threading.Event(), threading.Event()

        def handler(k: int) -> None:
            started.set()
            assert go_on.wait(BOUND_SECONDS)
            ran(k)

        bench.serve(lambda: {"hold": handler})
        bench.jobs.submit("hold", k=1)
        assert started.wait(BOUND_SECONDS)
        bench.jobs.submit("hold", k=1)
        go_on.set()

        assert ran.wait_for(2) == [1, 1]
        bench.jobs.close()

    def test_a_long_job_does_not_hold_up_another_worker(self, make_bench: MakeBench):
        bench, meeting, ran = make_bench(workers=2), threading.Barrier(2), Deliveries()

        def handler(k: int) -> None:
            meeting.wait(BOUND_SECONDS)
            ran(k)

        bench.jobs.submit("meet", k=1)
        bench.jobs.submit("meet", k=2)
        bench.serve(lambda: {"meet": handler})

        assert sorted(ran.wait_for(2)) == [1, 2]
        bench.jobs.close()

    def test_a_diagnosis_does_not_wait_for_analyses(self, make_bench: MakeBench):
        bench, analysing, ran = make_bench(workers=1), threading.Event(), Deliveries()
        diagnosed = threading.Event()

        def analyse(k: int) -> None:
            analysing.set()
            assert diagnosed.wait(BOUND_SECONDS)
            ran(f"analysis {k}")

        def diagnose() -> None:
            ran("diagnosis")
            diagnosed.set()

        for k in range(3):
            bench.jobs.submit("analyse", k=k)
        bench.serve(lambda: {"analyse": analyse, "diagnose": diagnose})
        assert analysing.wait(BOUND_SECONDS)
        bench.jobs.submit("diagnose")

        assert ran.wait_for(4)[0] == "diagnosis"
        bench.jobs.close()

    def test_a_job_beyond_its_limit_is_given_up_on_and_the_next_one_runs(
        self, make_bench: MakeBench, database: Database
    ):
        bench = make_bench(limit_seconds={**LIMIT_SECONDS, Lane.BATCH: 1.0})
        stuck, told = threading.Event(), Deliveries()

        def hang() -> None:
            stuck.wait(BOUND_SECONDS)

        bench.jobs.submit("hang")
        bench.jobs.submit("note", k=2)
        bench.serve(
            lambda: {**bench.handlers(), "hang": hang, "given_up": lambda **it: told(it["reason"])}
        )

        assert bench.ran.wait_for(1) == [{"k": 2}]
        (reason,) = told.wait_for(1)
        assert reason == "TookTooLong: stopped after 1 s, the most that such a job may take"
        assert [one.name for one in dead_letters(database)] == ["hang"]
        stuck.set()
        bench.jobs.close()

    def test_a_restart_runs_what_is_left(self, make_bench: MakeBench):
        first = make_bench()
        first.jobs.submit("note", k=1)
        first.jobs.submit("note", k=2)
        first.jobs.close()

        bench = make_bench()
        assert bench.jobs.backlog() == 2
        bench.serve()
        assert bench.outcome(2) == [{"k": 1}, {"k": 2}]
        assert bench.jobs.backlog() == 0

    def test_a_clock_that_was_set_back_does_not_put_jobs_off(
        self, make_bench: MakeBench, clock: ManualClock
    ):
        now = clock.now()
        clock.set(4e9)
        ahead = make_bench()
        ahead.jobs.submit("note", delay_seconds=60.0, k=1)
        ahead.jobs.close()

        clock.set(now)
        bench = make_bench()
        bench.serve()
        bench.jobs.submit("note", k=0)
        assert bench.ran.wait_for(1) == [{"k": 0}]
        clock.advance(70.0)

        assert bench.outcome(2) == [{"k": 0}, {"k": 1}]
