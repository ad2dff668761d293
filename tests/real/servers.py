"""Real servers as children of a test: each on a free loopback port, with a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import httpx

_POLL_SECONDS = 0.05
_STOP_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]


def until(true: Callable[[], object], what: str, *, seconds: float = 120.0) -> None:
    """Return once the condition holds; fail the test, naming `what`, if it does not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL_SECONDS)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


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


@contextmanager
def child(
    command: Sequence[str],
    folder: Path,
    ready: Callable[[], object],
    surroundings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs once it is ready; told to stop, and waited for, on leaving."""
    name = Path(command[0]).name
    log = folder / f"{name}.log"
    with log.open("ab") as written:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | dict(surroundings or {}),
            stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: ready() or process.poll() is not None, f"{name} is ready")
        assert process.poll() is None, f"{name} ended:\n{log.read_text(errors='replace')[-2000:]}"
        yield process
    finally:
        stopped(process)


def stopped(process: subprocess.Popen[bytes]) -> int:
    """Stop a child and return its exit status; a stubborn one is killed."""
    process.terminate()
    try:
        return process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def prometheus(folder: Path, config: str, *flags: str) -> Iterator[Server]:
    """Debian's Prometheus with this configuration, in which SELF stands for its own address."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{free_port()}"
    written = dedent(config).replace("SELF", url.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(written)
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        *flags,
    ]
    with child(command, folder, lambda: answers(f"{url}/-/ready")) as process:
        yield Server(url, process, folder)
        process.kill()  # it would try for a minute to send what is left


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[Server]:
    """Debian's Alertmanager, which sends every alert to one webhook."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text(
        dedent(f"""\
        route: {{receiver: one, group_wait: 0s, group_interval: 1s, repeat_interval: 1m}}
        receivers:
          - name: one
            webhook_configs: [{{url: "{webhook}", send_resolved: true}}]
        """)
    )
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    ]
    with child(command, folder, lambda: answers(f"{url}/-/ready")) as process:
        yield Server(url, process, folder)


@contextmanager
def kafka(folder: Path, port: int = 0) -> Iterator[Server]:
    """A broker that speaks Kafka's protocol and keeps its records in the folder, for tests alone.

    Its url is `kafka://host:port`. It never drops a member that has died: those that tests kill
    need a name that they keep.
    """
    import noida_db  # which is there for Linux alone

    folder.mkdir(parents=True, exist_ok=True)
    chosen = port or free_port()
    command = [
        str(Path(noida_db.__file__).with_name("noida-db")),
        "start", "--only", "kafka", "--kafka-port", str(chosen), "--data-dir", str(folder),
    ]  # fmt: skip
    with child(command, folder, lambda: listens(chosen)) as process:
        yield Server(f"kafka://127.0.0.1:{chosen}", process, folder)
