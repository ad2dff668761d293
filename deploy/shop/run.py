"""Starts the whole shop on this machine, breaks it on request, and leaves nothing running."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from shop.errors import ShopError
from shop.faults import KINDS
from shop.load import Shape
from shop.server import listen
from shop.topology import CALLS, FAULTS, SERVICES, SPELLINGS, TIMEOUTS

__all__ = ["FAULTS", "Shop", "canonical", "heal", "inject"]

HOST = "127.0.0.1"
CODE = Path(__file__).resolve().parent.parent
STOP_SECONDS = 3.0


class Shop:
    """The demo shop: one process a service on a free loopback port, and one for the visitors.

    The children end when this process does, however it ends: they watch a pipe that it holds.
    `directory` takes their log files, the orders' database and `shop.json`, which tells other
    programs where the services are. Not safe for use from several threads.
    """

    def __init__(self, directory: Path, seed: int = 0, *, shape: Shape | None = None) -> None:
        self._directory = directory.resolve()
        self._state = self._directory / "shop.json"
        self._seed = seed
        self._shape = shape or Shape()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._urls: dict[str, str] = {}
        self._operators: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where visitors enter."""
        return self._urls["frontend"]

    def start(self, timeout_seconds: float = 20.0) -> None:
        """Start all processes; return when every service answers and visitors are on their way.

        Raises:
            ShopError: a process ended, or a service did not answer in time; the text quotes its
                log. Nothing is left running then.
        """
        if self._processes:
            raise ShopError("the shop is running already")
        self._directory.mkdir(parents=True, exist_ok=True)
        try:
            self._start_services()
            self._wait_until_alive(timeout_seconds)
            self._start_load()
        except BaseException:
            self.stop()
            raise
        self._write_state()

    def targets(self) -> dict[str, str]:
        """URL of each service's metrics."""
        return {name: f"{url}/metrics" for name, url in self._operators.items()}

    def calls(self) -> tuple[tuple[str, str], ...]:
        """Who calls whom: (caller, callee)."""
        return CALLS

    def pids(self) -> dict[str, int]:
        """Process id of each service, and of `load`."""
        return {name: process.pid for name, process in self._processes.items()}

    def write_scrape_file(self, path: Path) -> None:
        """Write the targets as Prometheus' file_sd JSON, each with the label `service`."""
        entries = [
            {"targets": [urlsplit(url).netloc], "labels": {"service": name}}
            for name, url in self._operators.items()
        ]
        _write(path, json.dumps(entries, indent=2))

    def inject(self, fault: str, **options: float) -> None:
        """Begin `kind@service`, such as `latency@catalogue`; options as the kind has them.

        Raises:
            ShopError: there is no such kind, service or option, or the service is not running.
        """
        inject(self._operators, fault, options)

    def heal(self) -> None:
        """End every fault."""
        heal(self._operators)

    def stop(self) -> None:
        """End all processes, and return when they are gone; harmless when none runs."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        if self._processes:
            self._state.unlink(missing_ok=True)
        self._processes.clear()
        self._urls.clear()
        self._operators.clear()

    def _start_services(self) -> None:
        with ExitStack() as held:
            sockets = {
                name: (held.enter_context(listen(HOST, 0)), held.enter_context(listen(HOST, 0)))
                for name in SERVICES
            }
            self._urls = {name: _url(pair[0]) for name, pair in sockets.items()}
            self._operators = {name: _url(pair[1]) for name, pair in sockets.items()}
            for name, pair in sockets.items():
                self._start_service(name, *pair)

    def _start_service(self, name: str, service: socket.socket, operator: socket.socket) -> None:
        files = (service.fileno(), operator.fileno())
        callees = [f"{callee}={self._urls[callee]}" for callee in TIMEOUTS.get(name, {})]
        arguments = ["serve", name, "--sockets", *map(str, files)]
        arguments += [word for callee in callees for word in ("--dependency", callee)]
        self._spawn(name, arguments, files)

    def _start_load(self) -> None:
        shape = self._shape
        rate, swing, day = shape.requests_per_second, shape.swing, shape.day_seconds
        arguments = ["load", "--url", self.url, "--rate", str(rate)]
        self._spawn("load", [*arguments, "--swing", str(swing), "--day", str(day)], ())

    def _spawn(self, name: str, arguments: list[str], files: tuple[int, ...]) -> None:
        """Start a child in a session of its own, so that Ctrl-C reaches this process alone."""
        common = ["--directory", str(self._directory), "--seed", str(self._seed), "--watch-stdin"]
        with self._log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "shop", *arguments, *common],
                cwd=CODE,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=files,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self._directory / f"{name}.log"

    def _wait_until_alive(self, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        for name, url in self._operators.items():
            try:
                _ask(url, "GET", "/livez", timeout_seconds=max(0.1, deadline - time.monotonic()))
            except ShopError as error:
                text = self._log(name).read_text(errors="replace")[-2000:]
                raise ShopError(f"{name} did not come up: {error}\n{text}") from error

    def _write_state(self) -> None:
        state = {"urls": self._urls, "operators": self._operators}
        _write(self._state, json.dumps(state, indent=2))


def canonical(fault: str) -> str:
    """The fault `kind@service` with its service spelled as here; raises `ShopError`."""
    kind, _, named = fault.partition("@")
    service = SPELLINGS.get(named, named)
    if kind not in KINDS or service not in SERVICES:
        raise ShopError(
            f"{fault!r} is not kind@service; kinds: {', '.join(sorted(KINDS))};"
            f" services: {', '.join(SERVICES)}"
        )
    return f"{kind}@{service}"


def inject(operators: Mapping[str, str], fault: str, options: Mapping[str, float]) -> None:
    """Begin `kind@service`, given the operators' URL of each service; raises `ShopError`."""
    kind, _, service = canonical(fault).partition("@")
    if service not in operators:
        raise ShopError(f"{service} is not running")
    _ask(operators[service], "POST", "/fault", {"kind": kind} | dict(options))


def heal(operators: Mapping[str, str]) -> None:
    """End the faults of all services, given their operators' URLs; raises `ShopError`."""
    for url in operators.values():
        _ask(url, "DELETE", "/fault")


def _ask(
    url: str, method: str, path: str, body: object = None, *, timeout_seconds: float = 10.0
) -> None:
    """Send one request to an operator's port; raises `ShopError` unless it is answered with 200."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=timeout_seconds)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, HTTPException) as error:
        raise ShopError(f"{url}{path} does not answer: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise ShopError(str(json.loads(text).get("error", text)))


def _url(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: a reader sees the old text or the new one."""
    partial = path.with_suffix(path.suffix + ".part")
    partial.write_text(text + "\n")
    partial.replace(path)
