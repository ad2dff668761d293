"""Every part in a process of its own: databases, brokers, and each of our services.

`python -m tests.real.distributed` (`make up-distributed`) keeps them up until Ctrl-C.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.real import servers
from tests.real.brokers import RedisServer
from tests.real.node import Program
from tests.real.postgres import PostgresServer
from tests.real.servers import Server, free_port

SERVICES = ("ingest", "detect", "work", "dashboard")


class KafkaServer:
    """A broker that may be killed, paused and started again on its port, with its records."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._running = ExitStack()
        self._server: Server | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.resume()
        self._running.close()

    @property
    def bus_url(self) -> str:
        """As in ROOTWARD_BUS_URL."""
        return f"kafka://127.0.0.1:{self._port}?partitions=6"

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        self._server = self._running.enter_context(servers.kafka(self._folder, self._port))

    def kill(self) -> None:
        """End it as a crash would."""
        self._signal(signal.SIGKILL)
        self._running.close()

    def pause(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            self._server.process.send_signal(number)


@dataclass(frozen=True)
class Distributed:
    """The parts that run, ours by name: `detect-1` is a service and its number."""

    database_url: str
    """The database, by the shortest way."""
    settings: Mapping[str, object]
    """What all of ours are told, by the names of settings."""

    postgres: PostgresServer
    kafka: KafkaServer
    redis: RedisServer
    programs: Mapping[str, Program]

    def urls(self, service: str) -> list[str]:
        """Where the processes of a service answer."""
        return [one.url for name, one in self.programs.items() if name.startswith(service)]


@contextmanager
def distributed(
    folder: Path,
    counts: Mapping[str, int] | None = None,
    *,
    through: Callable[[int], int] = lambda port: port,
    **settings: object,
) -> Iterator[Distributed]:
    """All parts started and ready; stopped in order on leaving.

    `counts` says how many processes each service has, one where it does not. `through` gives the
    port at which ours reach the database, from its own.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        kafka = stack.enter_context(KafkaServer(folder / "kafka"))
        redis = stack.enter_context(RedisServer())
        direct = postgres.url(postgres.fresh())
        urls = {
            "database_url": direct.replace(f":{postgres.port}/", f":{through(postgres.port)}/"),
            "bus_url": kafka.bus_url,
            "jobs_url": redis.jobs_url,
        }
        programs = {
            f"{service}-{k}": _program(folder, service, k, urls | settings)
            for service in SERVICES
            for k in range(1, 1 + (counts or {}).get(service, 1))
        }
        for program in programs.values():  # side by side, for each takes its time
            stack.push(program)
            program.launch()
        for program in programs.values():
            program.until_ready()
        yield Distributed(direct, urls | settings, postgres, kafka, redis, programs)


def _program(folder: Path, service: str, number: int, settings: dict[str, object]) -> Program:
    name = f"{service}-{number}"
    own = {"port": free_port(), "instance": name}
    return Program(folder / name, service, **(settings | own))


def main() -> None:
    """Keep everything up until a signal, and say where it answers."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    folder = Path(tempfile.mkdtemp(prefix="rootward-distributed-"))
    given = {
        name.removeprefix("ROOTWARD_").lower(): value
        for name, value in os.environ.items()
        if name.startswith("ROOTWARD_")
    }
    try:
        with distributed(folder, **given) as running:
            for name, program in running.programs.items():
                sys.stdout.write(f"{name:12} {program.url}\n")
            sys.stdout.write(f"logs in {folder}; Ctrl-C ends it all\n")
            sys.stdout.flush()
            told.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
