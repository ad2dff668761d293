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

from tests.real.brokers import KafkaServer, RedisServer
from tests.real.children import OnAPort, free_port
from tests.real.node import Program
from tests.real.postgres import PostgresServer

SERVICES = ("ingest", "detect", "work", "dashboard")


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
    through: Callable[[OnAPort], int] = lambda server: server.port,
    data: Path | None = None,
    **settings: object,
) -> Iterator[Distributed]:
    """All parts started and ready; ours stopped side by side on leaving, then the servers.

    `counts` says how many processes each service has, one where it does not. `through` gives the
    port at which ours reach a server, from its own; `data` is where the database is kept.
    """
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer("max_wal_size=64MB", folder=data))
        kafka = stack.enter_context(KafkaServer(folder / "kafka"))
        redis = stack.enter_context(RedisServer())
        direct = postgres.url(postgres.fresh())

        def reached(url: str, server: OnAPort) -> str:
            return url.replace(f":{server.port}", f":{through(server)}")

        urls = {
            "database_url": reached(direct, postgres),
            "bus_url": reached(f"{kafka.url}?partitions=6", kafka),
            "jobs_url": reached(redis.jobs_url, redis),
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
        try:
            yield Distributed(direct, urls | settings, postgres, kafka, redis, programs)
        finally:
            for program in programs.values():
                program.tell_to_stop()


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
