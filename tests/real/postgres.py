"""PostgreSQL as a child of the tests: one server for many databases, to be stopped and started."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.real.servers import free_port, stopped, until

_INSTALLED = Path("/usr/lib/postgresql")
"""Where Debian puts the programs of each version."""
_USER = "rootward"


class PostgresServer:
    """Debian's PostgreSQL with its data in a temporary folder; the port stays over restarts.

    Commits are not forced to the disk unless asked for: what is committed survives the end of
    the server all the same, only not that of the machine, and the tests are faster.
    """

    def __init__(self, *settings: str) -> None:
        self.port = free_port()
        self._settings = ("fsync=off", *settings)
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="rootward-postgres-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        self._initialise()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start it; returns once it takes connections."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", *self._settings)
        flags = [part for option in options for part in ("-c", option)]
        folders = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = self._run("postgres", [*folders, *flags], log.fileno())
        until(self._answers, "PostgreSQL takes connections")

    def stop(self) -> None:
        """Let it end, and all connections with it."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End it at once; it recovers from its log at the next start."""
        self._end(signal.SIGQUIT)

    @property
    def pid(self) -> int:
        """The process that its others are children of."""
        assert self._process is not None, "not started"
        return self._process.pid

    def url(self, database: str) -> str:
        """Where one of its databases is, as a setting names it."""
        return f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/{database}"

    def fresh(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"test_{next(self._numbers)}"
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever is connected to it."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def dump(self, name: str, into: str) -> None:
        """Write a database out with pg_dump, and into another one with pg_restore."""
        file = str(self.folder / f"{name}.dump")
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", _USER]
        written = self._run("pg_dump", [*where, "--format=custom", "--file", file, name])
        assert written.wait(120) == 0, "pg_dump failed"
        read = self._run("pg_restore", [*where, "--exit-on-error", "--dbname", into, file])
        assert read.wait(120) == 0, "pg_restore failed"

    @property
    def _user(self) -> str | None:
        """PostgreSQL refuses to run as root."""
        return "nobody" if os.geteuid() == 0 else None

    def _initialise(self) -> None:
        flags = ["-D", str(self.folder / "data"), "-U", _USER, "--auth=trust", "--no-sync"]
        made = self._run("initdb", [*flags, "--encoding=UTF8", "--locale=C.UTF-8"])
        assert made.wait(120) == 0, "initdb failed"

    def _run(
        self, name: str, flags: Sequence[str], log: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [_program(name), *flags], cwd=self.folder, user=self._user,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(how)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            stopped(self._process)
        self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "postgres.log").read_text()[-2000:]
        try:
            self._execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: sql.Composable) -> None:
        where = {"host": "127.0.0.1", "port": self.port, "user": _USER, "dbname": "postgres"}
        with psycopg.connect(**where, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


def _program(name: str) -> str:
    found = sorted(_INSTALLED.glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    return str(found[-1]) if found else name
