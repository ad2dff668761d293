"""Calls to another service: pooled keep-alive connections, a time-out on each call."""

from __future__ import annotations

import json
import select
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from shop.errors import CallFailed, HttpError, ShopError
from shop.measures import Measures

MAX_IDLE_CONNECTIONS = 16
MAX_IDLE_SECONDS = 10.0


class Dependency:
    """One service that is called, from as many threads as like."""

    def __init__(self, name: str, url: str, timeout_seconds: float, measures: Measures) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise ShopError(f"{name}: {url!r} is not http://host:port")
        self._name = name
        self._host, self._port = address.hostname, address.port or 80
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._idle: list[tuple[float, HTTPConnection]] = []
        self._duration = measures.call_duration.labels(name)
        self._errors = measures.call_errors.labels(name)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer.

        Raises:
            HttpError: the service refused the request with a 4xx; its status and text.
            CallFailed: it failed, cannot be reached, or took too long.
        """
        started = time.perf_counter()
        try:
            status, answer = self._exchange(method, path, body)
        except TimeoutError as error:
            self._errors.inc()
            raise CallFailed(504, f"{self._name} did not answer in time") from error
        except (OSError, HTTPException, ValueError) as error:
            self._errors.inc()
            raise CallFailed(502, f"{self._name} gave no readable answer") from error
        finally:
            self._duration.observe(time.perf_counter() - started)
        if status >= 500:
            self._errors.inc()
            raise CallFailed(502, f"{self._name} answered {status}")
        if status >= 400:
            raise HttpError(status, str(answer.get("error", "")))
        return answer

    def _exchange(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        connection = self._connection()
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except BaseException:
            connection.close()
            raise
        self._keep(connection)
        return response.status, answer

    def _connection(self) -> HTTPConnection:
        """A connection that is open and idle, or a new one; stale ones are closed."""
        while True:
            with self._lock:
                if not self._idle:
                    break
                since, connection = self._idle.pop()
            if time.monotonic() - since < MAX_IDLE_SECONDS and not _closed_by_peer(connection):
                return connection
            connection.close()
        return HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)

    def _keep(self, connection: HTTPConnection) -> None:
        with self._lock:
            if len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()


def _closed_by_peer(connection: HTTPConnection) -> bool:
    """Whether an idle connection has something to read, which can only be its end."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])
