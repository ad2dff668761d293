"""A small HTTP/1.1 server: keep-alive, a thread per connection, a bound on connections."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore
from typing import Any, NamedTuple

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 65536


class Answer(NamedTuple):
    """What goes back to the caller."""

    status: int
    body: bytes
    content_type: str = "application/json"


Answering = Callable[[str, str, bytes], Answer]
"""Takes method, target (path and query) and body."""


class HttpServer(ThreadingMixIn, TCPServer):
    """Serves a socket that listens already.

    At most `max_connections` are open; more wait in the kernel's queue, as they do in front of
    any busy server.
    """

    daemon_threads = True

    def __init__(self, listener: socket.socket, answering: Answering, max_connections: int) -> None:
        super().__init__(listener.getsockname()[:2], _Connection, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.answering = answering
        self._free = BoundedSemaphore(max_connections)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Wait for room, then serve the connection in a thread of its own."""
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection until it closes."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no error of ours; anything else is logged."""
        if isinstance(sys.exception(), OSError):
            log.debug("connection lost", exc_info=True)
        else:
            log.exception("connection failed")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    return socket.create_server((host, port), backlog=128)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    wbufsize = -1  # status, headers and body leave in one packet
    disable_nagle_algorithm = True
    server: HttpServer

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._send(Answer(413, b'{"error": "the body is too large"}'))
            return
        self._send(self.server.answering(self.command, self.path, self.rfile.read(int(length))))

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)
