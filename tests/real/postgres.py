"""PostgreSQL as a child of the tests: one server for many databases, to be stopped and started."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

from tests.real.children import OnAPort, below, until

_INSTALLED = Path("/usr/lib/postgresql")
"""Where Debian puts the programs of each version."""
_USER = "rootward"


class PostgresServer(OnAPort):
    """Debian's PostgreSQL with its data in a temporary folder; the port stays over restarts.

    Commits are not forced to the disk unless asked for: what is committed survives the end of
    the server all the same, only not that of the machine, and the tests are faster.
    """

    ends_by = signal.SIGINT
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root

    def __init__(self, *settings: str, folder: Path | None = None) -> None:
        super().__init__("postgres", folder)
        self._settings = ("fsync=off", *settings)
        self._numbers = count(1)

    def launch(self) -> None:
        """Start it, with new data where there are none; returns at once."""
        if not (self.folder / "data").exists():
            if self.user:
                shutil.chown(self.folder, self.user)
            flags = ["-D", str(self.folder / "data"), "-U", _USER, "--auth=trust", "--no-sync"]
            self._done("initdb", *flags, "--encoding=UTF8", "--locale=C.UTF-8")
        super().launch()

    def command(self) -> Sequence[str]:
        """What is run."""
        options = (f"port={self.port}", "listen_addresses=127.0.0.1", *self._settings)
        flags = [part for option in options for part in ("-c", option)]
        folders = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        return [_program("postgres"), *folders, *flags]

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        try:
            self._execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def pause(self) -> None:
        """Let all of its processes stand still."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        self._signal_all(signal.SIGCONT)

    def recover(self) -> None:
        """Return once it takes connections again; where trouble has ended it, it is started."""

        def is_back() -> bool:
            if self.process.poll() is not None:
                self.launch()
            return self.is_ready()

        until(is_back, "PostgreSQL is back")

    def kill(self) -> None:
        """End it at once, and all of its processes; it recovers from its log at the next start."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(60)

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
        self._done("pg_dump", *where, "--format=custom", "--file", file, name)
        self._done("pg_restore", *where, "--exit-on-error", "--dbname", into, file)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in (self.process.pid, *below(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _done(self, name: str, *flags: str) -> None:
        """Run one of its programs to the end."""
        status = self.run([_program(name), *flags], self.log_file).wait(120)
        assert status == 0, f"{name} failed:\n{self.log[-2000:]}"

    def _execute(self, statement: sql.Composable) -> None:
        where = {"host": "127.0.0.1", "port": self.port, "user": _USER, "dbname": "postgres"}
        with psycopg.connect(**where, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


def _program(name: str) -> str:
    found = sorted(_INSTALLED.glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    return str(found[-1]) if found else name
