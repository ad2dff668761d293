"""Celery workers as children of a serving process, and what they do when they are rung for."""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

from billiard import pool
from celery import Celery, Task, signals
from celery.exceptions import SoftTimeLimitExceeded

from rootward.adapters.celery_app import GRACE_SECONDS, Doorbell, queue_name
from rootward.adapters.celery_counts import Relay
from rootward.adapters.delivery import Delivery, Outcome, Policy
from rootward.adapters.job_runs import JobRuns, too_long
from rootward.adapters.lanes import LIMIT_SECONDS, Lane
from rootward.adapters.sql.job_queue import LEASE_SECONDS, Lease, QueuedJob, SqlJobQueue
from rootward.errors import RootwardError, Unavailable
from rootward.ports import JobHandler, JsonValue

log = logging.getLogger(__name__)

_ORPHAN_LOOK_SECONDS = 5.0
_FAREWELL_SECONDS = 2.0
"""How long a child that ends waits for its worker to have read what it said; of 30 s, which is
what billiard gives it, all go by where the worker stops reading first. The rows say it as well."""


@dataclass(frozen=True, kw_only=True)
class Working:
    """How a process serves jobs."""

    processes: int = 2
    """Children for long jobs; one more is kept for what is done soon."""
    lease_seconds: float = LEASE_SECONDS
    """How long a job stays with a child that gives no sign of life."""
    sweep_seconds: float = 5.0
    """How often to look for jobs that nobody was told of."""
    ring_again_seconds: float = 60.0
    """How long a job may wait before workers are told again."""
    drain_seconds: float = 30.0
    """How long jobs in hand may take to end once we are told to stop."""
    limit_seconds: Mapping[Lane, float] = field(default_factory=lambda: LIMIT_SECONDS)
    """How long a job may run."""


@dataclass(frozen=True)
class Means:
    """What a process needs, made anew in each: no connection outlives a fork."""

    make_queue: Callable[[], SqlJobQueue]
    make_app: Callable[[], Celery]
    max_backlog: int
    policy: Policy = field(default_factory=Policy)

    def runs(self) -> JobRuns:
        """The queue with the policy."""
        return JobRuns(self.make_queue(), self.max_backlog, self.policy)


class Bench:
    """What a child of a Celery worker does when it is rung for."""

    def __init__(
        self,
        means: Means,
        working: Working,
        make_handlers: Callable[[], Mapping[str, JobHandler]],
        relay: Relay,
    ) -> None:
        self._relay = relay
        self._means = means
        self._working = working
        self._make_handlers = make_handlers
        self._handlers: Mapping[str, JobHandler] | None = None

    @cached_property
    def _runs(self) -> JobRuns:
        """Made at the first job, in the child that runs it."""
        return self._means.runs()

    @cached_property
    def _doorbell(self) -> Doorbell:
        return Doorbell(self._means.make_app())

    def limit_seconds(self, lane: Lane) -> float:
        """How long a job of a lane may run."""
        return self._working.limit_seconds[lane]

    def rung(self, lane: Lane) -> None:
        """Take the first due job of a lane and see to it; there may be none."""
        limit = self.limit_seconds(lane) + GRACE_SECONDS
        holder = f"{socket.gethostname()}:{os.getpid()}"
        try:
            taken = self._runs.queue.take(
                (lane,), Lease(holder, limit, self._working.lease_seconds)
            )
        except Unavailable as error:
            log.warning("jobs wait for the database", extra={"reason": str(error)})
            return  # they are rung for again
        if taken is None:
            return
        with self._relay.counting(), self._signs_of_life(taken):
            self._see_to(taken, self.limit_seconds(lane))
        self._ring_on(lane)

    def _ring_on(self, lane: Lane) -> None:
        """A ring for each job is not enough: one that came back took the ring of another."""
        try:
            if self._runs.queue.waiting((lane,)):
                self._doorbell.ring(lane)
        except Unavailable as error:
            log.warning("jobs wait for the database", extra={"reason": str(error)})

    def _see_to(self, taken: QueuedJob, limit_seconds: float) -> None:
        try:
            if self._handlers is None:
                self._handlers = self._make_handlers()
        except RootwardError as error:
            self._settle(taken, Delivery(Outcome.OUTAGE, str(error)), {})
            return
        limited = {
            name: partial(_limited, handler, limit_seconds)
            for name, handler in self._handlers.items()
        }
        self._settle(taken, self._runs.run(taken, limited), limited)

    def _settle(
        self, taken: QueuedJob, delivery: Delivery, handlers: Mapping[str, JobHandler]
    ) -> None:
        """Write the outcome; where the database stays away, the lease runs out instead."""
        for _ in range(self._runs.policy.tries):
            try:
                self._runs.settle(taken, delivery, handlers)
                return
            except Unavailable as error:
                log.warning("outcome waits for the database", extra={"reason": str(error)})
                threading.Event().wait(self._runs.policy.outage_wait_seconds)

    @contextmanager
    def _signs_of_life(self, taken: QueuedJob) -> Iterator[None]:
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(self._working.lease_seconds / 3):
                try:
                    if not self._runs.queue.renew(taken, self._working.lease_seconds):
                        log.warning("lease was lost", extra={"job": taken.name})
                except Unavailable as error:
                    log.warning("lease not renewed", extra={"reason": str(error)})

        thread = threading.Thread(target=beat, name="rootward-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class _Ring(Task):  # type: ignore[type-arg]
    """The one kind of task: somebody rang for a lane."""

    def __init__(self, lane: Lane, bench: Bench) -> None:
        self.name = queue_name(lane)
        self.soft_time_limit = math.ceil(bench.limit_seconds(lane))
        self.time_limit = math.ceil(bench.limit_seconds(lane) + GRACE_SECONDS)
        self._lane = lane
        self._bench = bench

    def run(self) -> None:
        """Take a job of the lane."""
        self._bench.rung(self._lane)


class Crew:
    """One Celery worker for some lanes, as a child process."""

    def __init__(
        self, lanes: frozenset[Lane], size: int, make_app: Callable[[], Celery], bench: Bench
    ) -> None:
        self._name = "-".join(sorted(lanes))
        self._lanes = lanes
        self._size = size
        self._make_app = make_app
        self._bench = bench
        self._process: ForkProcess | None = None

    def start(self) -> None:
        """Fork the worker."""
        context = multiprocessing.get_context("fork")  # handlers may be closures
        self._process = context.Process(target=self._work, name=f"rootward-{self._name}")
        self._process.start()

    def revive(self) -> None:
        """Start it again where it has ended by itself."""
        if self._process is not None and not self._process.is_alive():
            status = self._process.exitcode
            log.error("workers ended; started again", extra={"crew": self._name, "status": status})
            self.start()

    def tell_to_stop(self) -> None:
        """Let it take no more jobs, and end those in hand."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, drain_seconds: float) -> None:
        """Wait for its end; jobs that take longer run again elsewhere."""
        process, self._process = self._process, None
        if process is None:
            return
        process.join(drain_seconds)
        if process.is_alive() and process.pid is not None:
            log.warning("a job did not end in time; it runs again", extra={"crew": self._name})
            os.kill(process.pid, signal.SIGQUIT)
            process.join(GRACE_SECONDS)
        process.kill()
        process.join()

    def _work(self) -> None:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        signals.worker_process_init.connect(_in_child, weak=False)
        app = self._make_app()
        for lane in self._lanes:
            app.register_task(_Ring(lane, self._bench))
        worker = app.Worker(
            hostname=f"{self._name}-{os.getpid()}@{socket.gethostname()}",
            queues=[queue_name(lane) for lane in sorted(self._lanes)],
            pool="prefork",
            concurrency=self._size,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        worker.start()
        sys.exit(worker.exitcode or 0)


def _limited(handler: JobHandler, limit_seconds: float, **payload: JsonValue) -> None:
    try:
        handler(**payload)
    except SoftTimeLimitExceeded as error:
        raise too_long(limit_seconds) from error


def _end_with_parent() -> None:
    """In a worker: stop as if told to once the serving process has gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _in_child(**_: object) -> None:
    """In a child of a worker: do not outlive it, nor keep it waiting."""
    retries = round(_FAREWELL_SECONDS / pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_INTERVAL)
    pool.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = retries
    parent = os.getppid()

    def look() -> None:
        while os.getppid() == parent:
            threading.Event().wait(_ORPHAN_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="rootward-orphan", daemon=True).start()
