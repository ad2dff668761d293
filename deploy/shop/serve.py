"""One service process: its server, and a second one for operators on a port of its own."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST

from shop.application import Application
from shop.errors import ShopError
from shop.faults import Fault, FaultSwitch, fault
from shop.kit import Kit, Service, kit
from shop.measures import Measures
from shop.server import Answer, HttpServer
from shop.services.cart import Cart
from shop.services.catalogue import Catalogue
from shop.services.checkout import Checkout
from shop.services.frontend import Frontend
from shop.services.orders import Orders
from shop.services.payment import Payment
from shop.services.recommendation import Recommendation
from shop.services.shipping import Shipping
from shop.topology import TIMEOUTS

log = logging.getLogger(__name__)

WORKERS = 32
MAX_CONNECTIONS = 96
MAX_OPERATOR_CONNECTIONS = 8

_BUILDERS: Mapping[str, Callable[[Kit], Service]] = {
    "frontend": Frontend,
    "catalogue": Catalogue,
    "recommendation": Recommendation,
    "cart": Cart,
    "checkout": Checkout,
    "payment": Payment,
    "shipping": Shipping,
    "orders": Orders,
}


@dataclass(frozen=True)
class Operator:
    """What an operator asks of a service: metrics, health, and the fault that is on.

    It has its own port and threads, so that it answers while the service does not.
    """

    measures: Measures
    faults: FaultSwitch

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """The answer to one request."""
        if (method, target) == ("GET", "/metrics"):
            return Answer(200, self.measures.page(), CONTENT_TYPE_LATEST)
        if (method, target) == ("GET", "/livez"):
            return _answer(200, {"alive": True})
        if target == "/fault":
            return self._fault(method, body)
        return _answer(404, {"error": f"there is no {method} {target}"})

    def _fault(self, method: str, body: bytes) -> Answer:
        if method == "POST":
            try:
                self.faults.begin(_wanted(body))
            except ShopError as error:
                return _answer(400, {"error": str(error)})
        elif method == "DELETE":
            self.faults.end()
        return _answer(200, {"fault": self.faults.options() or None})


def _wanted(body: bytes) -> Fault:
    try:
        options = json.loads(body)
    except ValueError as error:
        raise ShopError("the body is not JSON") from error
    if not isinstance(options, dict) or not isinstance(options.get("kind"), str):
        raise ShopError('the body must look like {"kind": "latency", "seconds": 0.3}')
    return fault(options.pop("kind"), options)


def _answer(status: int, value: object) -> Answer:
    return Answer(status, json.dumps(value).encode())


@dataclass(frozen=True)
class Sockets:
    """Where a service listens, for its callers and for its operators."""

    service: socket.socket
    operator: socket.socket


def serve(name: str, sockets: Sockets, urls: Mapping[str, str], directory: Path, seed: int) -> None:
    """Run the service `name` until the process ends.

    Raises:
        ShopError: there is no such service, or a service that it calls has no URL.
    """
    if name not in _BUILDERS:
        raise ShopError(f"there is no service {name!r}; there are {', '.join(_BUILDERS)}")
    tools = kit(name, urls, TIMEOUTS.get(name, {}), directory, seed)
    faults = FaultSwitch(tools.lock.plain, tools.random)
    application = Application(_BUILDERS[name](tools), tools.measures, faults, WORKERS)
    operator = Operator(tools.measures, faults)
    operators = HttpServer(sockets.operator, operator.answer, MAX_OPERATOR_CONNECTIONS)
    threading.Thread(target=operators.serve_forever, daemon=True).start()
    HttpServer(sockets.service, application.answer, MAX_CONNECTIONS).serve_forever()
