"""Answers the requests of one service: workers, metrics, errors, and the fault that is on."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shop.errors import HttpError
from shop.faults import FaultSwitch
from shop.kit import Handler, Request, Router, Service
from shop.measures import Measures
from shop.server import Answer

log = logging.getLogger(__name__)


class Application:
    """A service with a bounded number of workers; more requests wait their turn."""

    def __init__(
        self, service: Service, measures: Measures, faults: FaultSwitch, workers: int
    ) -> None:
        self._router = Router(service.routes())
        self._measures = measures
        self._faults = faults
        self._workers = threading.Semaphore(workers)
        for handler in service.routes().values():
            measures.duration.labels(handler.__name__)

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer to one request, measured."""
        started = time.perf_counter()
        try:
            handler, path, query = self._router.find(method, target)
            request = Request(path, query, _decoded(body))
        except HttpError as error:
            self._measures.requests.labels(str(error.status)).inc()
            return _refusal(error.status, str(error))
        with self._measures.in_flight.track_inprogress():
            answer = self._guarded(handler, request)
        self._measures.answered(handler.__name__, answer.status, time.perf_counter() - started)
        return answer

    def _guarded(self, handler: Handler, request: Request) -> Answer:
        try:
            with self._worker():
                self._faults.strike()
                return Answer(200, json.dumps(handler(request)).encode())
        except HttpError as error:
            return _refusal(error.status, str(error))
        except Exception:
            log.exception("request failed")
            return _refusal(500, "internal error")

    @contextmanager
    def _worker(self) -> Iterator[None]:
        started = time.perf_counter()
        with self._workers:
            self._measures.queue_wait.observe(time.perf_counter() - started)
            yield


def _decoded(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, empty for an empty one; raises `HttpError` 400."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError as error:
        raise HttpError(400, "the body is not JSON") from error
    if not isinstance(value, dict):
        raise HttpError(400, "the body is not a JSON object")
    return value


def _refusal(status: int, text: str) -> Answer:
    return Answer(status, json.dumps({"error": text}).encode())
