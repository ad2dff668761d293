"""A loopback proxy that notes what was sent through it and how each request was answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import cramjam

from rootward.model.series import Series
from rootward_ingest.messages import parse_write_request
from tests.real.node import Samples
from tests.real.prometheus_api import Labels, series_of

NO_ANSWER, UNREACHED = 0, -1
"""What is noted as the status where the connection broke before an answer, and where none was."""
_HOP = {"connection", "host", "content-length", "transfer-encoding", "accept-encoding"}
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Exchange:
    """A request that went through, and what became of it."""

    body: bytes
    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the sender was promised that all of it is kept."""
        return 200 <= self.status < 300

    @property
    def passed_on(self) -> bool:
        """Whether any of it may have arrived."""
        return self.status != UNREACHED

    @cached_property
    def samples(self) -> Samples:
        """What a remote write request holds."""
        request = parse_write_request(bytes(cramjam.snappy.decompress_raw(self.body)))
        found: Samples = {}
        for one in request.timeseries:
            series = _series(tuple((label.name, label.value) for label in one.labels))
            found |= {(series, 1000 * sample.timestamp): sample.value for sample in one.samples}
        return found


class Proxy:
    """Passes requests on to `upstream`; where that breaks, says 503, which senders repeat."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.upstream = ""
        """Where requests go; empty for nowhere."""
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """All so far, in the order of their answers."""
        with self._lock:
            return tuple(self._exchanges)

    def pass_on(self, path: str, body: bytes, headers: dict[str, str]) -> Exchange:
        """The exchange with the upstream, which may be none (yet or any more)."""
        made = _exchange(self.upstream, path, body, headers)
        with self._lock:
            self._exchanges.append(made)
        return made


def _exchange(upstream: str, path: str, body: bytes, headers: dict[str, str]) -> Exchange:
    if not upstream:
        return Exchange(body, UNREACHED, "no upstream")
    connection = HTTPConnection(urlsplit(upstream).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.connect()
    except OSError as error:
        return Exchange(body, UNREACHED, repr(error))
    try:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return Exchange(body, response.status, response.read().decode(errors="replace"))
    except (OSError, HTTPException) as error:
        return Exchange(body, NO_ANSWER, repr(error))
    finally:
        connection.close()


@contextmanager
def proxy() -> Iterator[Proxy]:
    """A proxy on a free loopback port; set its `upstream` before anything is sent."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = Proxy(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.proxy  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of senders that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        made = self.server.proxy.pass_on(self.path, body, headers)  # type: ignore[attr-defined]
        content = b"" if made.status == 204 else made.text.encode()
        try:
            self.send_response(made.status if made.status > 0 else 503)
            if made.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # the sender has gone
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def samples_of(exchanges: Sequence[Exchange], *, when: Callable[[Exchange], bool]) -> Samples:
    """The samples of remote write requests, of those exchanges that are asked for."""
    found: Samples = {}
    for exchange in filter(when, exchanges):
        found |= exchange.samples
    return found


@cache
def _series(labels: Labels) -> Series:
    return series_of(labels)
