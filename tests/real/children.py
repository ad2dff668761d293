"""Programs that run beside a test: started, killed, paused, stopped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import httpx

_POLL_SECONDS = 0.02
_STOP_SECONDS = 120.0
_PORTS_EACH = 1_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = (20_000 + _PORTS_EACH * _WORKER + (os.getpid() + k) % _PORTS_EACH for k in count())


def until(true: Callable[[], object], what: str, *, seconds: float = 120.0) -> None:
    """Return once the condition holds; fail the test, naming `what`, if it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port that nobody else will take, even while its server is down.

    The system hands out no such low ones, and each of pytest's workers has a range of its own.
    """
    for _ in range(_PORTS_EACH):
        port = next(_PORTS)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:  # another program's
                continue
        return port
    raise AssertionError("no port is free")


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def listens(port: int) -> bool:
    """Whether a connection is taken."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def below(pid: int) -> set[int]:
    """Ids of the processes that a process started, and of those that they started."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    found: set[int] = set()
    while more := {p for p, above in parents.items() if above in found | {pid}} - found:
        found |= more
    return found


class Child:
    """A program as a child process; what kinds of it there are say how it is started.

    It has a folder, where its output is kept: a temporary one that goes with it, unless given.
    """

    ends_by: ClassVar[signal.Signals] = signal.SIGTERM
    """What it is told to stop by."""
    user: ClassVar[str | None] = None
    """Whom it runs as, where not as we do."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.name = name
        self.folder = folder or Path(tempfile.mkdtemp(prefix=f"rootward-{name}-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._is_temporary = folder is None
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """What is run."""
        raise NotImplementedError

    def surroundings(self) -> Mapping[str, str]:
        """What its environment has beside ours."""
        return {}

    def is_ready(self) -> bool:
        """Whether it can do its work."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self.stop()
        if self._is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that runs now, or ran last."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.folder / f"{self.name}.log"

    @property
    def log(self) -> str:
        """What it has written."""
        return self.log_file.read_text(errors="replace")

    def start(self) -> None:
        """Start it; returns once it is ready."""
        self.launch()
        self.until_ready()

    def launch(self) -> None:
        """Start it; returns at once."""
        self._process = self.run(self.command(), self.log_file)

    def until_ready(self) -> None:
        """Return once it is ready."""

        def is_settled() -> bool:
            assert self.process.poll() is None, f"{self.name} ended:\n{self.log[-2000:]}"
            return self.is_ready()

        until(is_settled, f"{self.name} is ready")

    def run(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start something as it is started itself."""
        with log.open("ab") as written:
            return subprocess.Popen(
                command, cwd=self.folder, env=os.environ | dict(self.surroundings()),
                user=self.user, stdin=subprocess.DEVNULL, stdout=written, stderr=written,
                start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Let it stand still, as an overloaded machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def tell_to_stop(self) -> None:
        """Returns at once; nothing where it has ended."""
        self.resume()
        self.process.send_signal(self.ends_by)

    def stop(self) -> int:
        """Tell it to stop; returns its exit status. A stubborn one is killed."""
        self.tell_to_stop()
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()


class OnAPort(Child):
    """A server whose port stays over restarts; it is ready once it takes connections."""

    def __init__(self, name: str, folder: Path | None = None, port: int = 0) -> None:
        super().__init__(name, folder)
        self.port = port or free_port()

    def is_ready(self) -> bool:
        """Whether somebody listens on its port."""
        return listens(self.port)
