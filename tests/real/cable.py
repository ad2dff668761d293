"""A TCP connection that a test can cut: a loopback proxy in front of a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536


class Cable:
    """Passes bytes on between those who connect to `port` and the server behind it.

    A server that tells its clients where to connect, as Kafka's does, is made to name the cable.
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream = upstream_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._told, self._named = named(upstream_port), named(self.port)
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._down = False
        self._swallowed: int | None = None
        self.silenced = threading.Event()
        """A connection sent what is swallowed, and hears nothing any more."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection that there is; new ones are taken."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def unplug(self) -> None:
        """Break every connection and take none."""
        self._down = True
        self.cut()

    def plug(self) -> None:
        """Take connections again."""
        self._down = False

    def swallow(self, request: int | None) -> None:
        """From now on, who sends this request of Kafka's hears nothing on that connection any more.

        The connection stays, as where a broker is stopped before it answers. None ends it for
        connections yet to come.
        """
        self._swallowed = request

    def close(self) -> None:
        """End it."""
        self.unplug()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._down:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._upstream), 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._ends |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        silent = False
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._swallowed is not None and _request(data) == self._swallowed:
                    silent = True
                    self.silenced.set()
                if silent:
                    continue
                sink.sendall(data.replace(self._told, self._named))
        for one in (source, sink):
            with self._lock:
                self._ends.discard(one)
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _request(data: bytes) -> int:
    """Which request it begins with: its number stands behind the length of the message."""
    return int.from_bytes(data[4:6], "big")


def named(port: int) -> bytes:
    """A loopback address as Kafka's protocol writes it."""
    return b"127.0.0.1" + port.to_bytes(4, "big")


@contextmanager
def cable(upstream_port: int) -> Iterator[Cable]:
    """A cable to a loopback port, unplugged for good on leaving."""
    one = Cable(upstream_port)
    try:
        yield one
    finally:
        one.close()
