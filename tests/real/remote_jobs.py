"""Jobs that a process of its own runs, with handlers that are called back in the test."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from rootward.adapters.celery_app import make_app
from rootward.adapters.celery_jobs import CeleryJobs
from rootward.adapters.celery_workers import Means, Working
from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Policy
from rootward.adapters.sql.engine import open_database
from rootward.adapters.sql.job_queue import SqlJobQueue
from rootward.ports import Clock, JobHandler, JsonValue
from rootward.telemetry import set_up_logging
from rootward.testing.fakes import ManualClock

Handlers = Mapping[str, JobHandler]

_NEEDED = (
    "tests.real.remote_jobs celery.apps.worker celery.app.builtins celery.concurrency.prefork "
    "celery.fixups.django celery.loaders.app celery.worker.autoscale celery.worker.consumer "
    "celery.worker.control celery.worker.strategy kombu.transport.pyamqp kombu.transport.redis "
    "sqlalchemy.dialects.postgresql.psycopg sqlalchemy.dialects.sqlite.pysqlite"
)
_CONTEXT = multiprocessing.get_context("forkserver")  # imports once what each node needs
_CONTEXT.set_forkserver_preload(_NEEDED.split())
_STOP_SECONDS = 60.0
_KEY = b"loopback"


class SharedClock(ManualClock):
    """A clock moved by hand that several processes read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.exists():
            path.write_bytes(struct.pack("d", ManualClock().now()))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def now(self) -> float:
        """Unix seconds."""
        now: float = struct.unpack("d", self._memory[:])[0]
        return now

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self.set(self.now() + seconds)

    def set(self, unix: float) -> None:
        """Move the clock to a time, back too."""
        self._memory[:] = struct.pack("d", unix)


@dataclass(frozen=True)
class Plan:
    """What a node is told at its start."""

    jobs_url: str
    database_url: str
    clock: Path | None
    most: int
    policy: Policy
    working: Working
    callback: tuple[str, int] = ("", 0)

    def jobs(self) -> CeleryJobs:
        """Jobs on these addresses."""
        clock: Clock = SystemClock() if self.clock is None else SharedClock(self.clock)
        limits = dict(self.working.limit_seconds)
        return CeleryJobs(
            Means(
                lambda: SqlJobQueue(open_database(self.database_url), clock),
                lambda: make_app(self.jobs_url, limit_seconds=limits),
                self.most,
                self.policy,
            ),
            self.working,
        )

    def handlers(self) -> Handlers:
        """Handlers that run in the test."""
        names: list[str] = self._ask("", {})
        return {name: partial(self._handle, name) for name in names}

    def _handle(self, name: str, **payload: JsonValue) -> None:
        self._ask(name, payload)

    def _ask(self, name: str, payload: Mapping[str, JsonValue]) -> list[str]:
        with Client(self.callback, authkey=_KEY) as line:
            line.send((name, dict(payload), os.getpid()))
            answer = line.recv()
        if isinstance(answer, BaseException):
            raise answer
        return list(answer)


@dataclass
class Callbacks:
    """Answers nodes: which handlers there are, and what running one came to."""

    make_handlers: Callable[[], Handlers]
    running: list[int] = field(default_factory=list)
    """Process ids of whoever had a job run, in order."""

    def __post_init__(self) -> None:
        self._listener = Listener(("127.0.0.1", 0), authkey=_KEY, backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        """Where nodes call."""
        host, port = self._listener.address
        return str(host), int(port)

    def close(self) -> None:
        """Answer no more."""
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line = self._listener.accept()
            except OSError:
                return  # closed
            except EOFError:
                continue  # the caller was killed
            threading.Thread(target=self._answer, args=(line,), daemon=True).start()

    def _answer(self, line: Connection) -> None:
        with line:
            try:
                line.send(self._result(*line.recv()))
            except (EOFError, OSError):
                pass  # the caller was killed

    def _result(self, name: str, payload: dict[str, JsonValue], pid: int) -> object:
        handlers = self.make_handlers()
        if not name:
            return list(handlers)
        self.running.append(pid)
        try:
            handlers[name](**payload)
        except Exception as error:  # noqa: BLE001 - raised again by the caller
            return error
        return []


def serve_until_told(plan: Plan, recurring: Connection) -> None:
    """Serve jobs; what recurs comes in while it runs."""
    set_up_logging("WARNING", "text")
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    jobs = plan.jobs()
    jobs.serve(plan.handlers)
    threading.Thread(target=_listen, args=(jobs, recurring), daemon=True).start()
    told.wait()
    jobs.close()


def _listen(jobs: CeleryJobs, recurring: Connection) -> None:
    while True:
        try:
            jobs.every(*recurring.recv())
        except EOFError:  # the test has gone
            os.kill(os.getpid(), signal.SIGTERM)
            return


class RemoteJobs:
    """CeleryJobs whose serving half is another process, or several."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.callbacks: Callbacks | None = None
        self.nodes: list[ForkServerProcess] = []
        self._recurring: list[Connection] = []
        self._here = plan.jobs()

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        self._here.submit(name, delay_seconds=delay_seconds, **payload)

    def every(self, name: str, seconds: float) -> None:
        for node in self._recurring:
            node.send((name, seconds))

    def serve(self, make_handlers: Callable[[], Handlers]) -> None:
        """Start a node; one more with each call."""
        if self.callbacks is None:
            self.callbacks = Callbacks(make_handlers)
        told = replace(self.plan, callback=self.callbacks.address)
        here, there = _CONTEXT.Pipe()
        node = _CONTEXT.Process(target=serve_until_told, args=(told, there))
        node.start()
        there.close()
        self.nodes.append(node)
        self._recurring.append(here)

    def backlog(self) -> int:
        return self._here.backlog()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> list[int | None]:
        """Signal all nodes and return their exit statuses."""
        nodes, self.nodes = self.nodes, []
        for node in nodes:
            assert node.pid is not None
            os.kill(node.pid, number)
        for node in nodes:
            node.join(_STOP_SECONDS)
        for line in self._recurring:
            line.close()
        self._recurring = []
        return [node.exitcode for node in nodes]

    def close(self) -> None:
        self.stop()
        if self.callbacks is not None:
            self.callbacks.close()
        self._here.close()
