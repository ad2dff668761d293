"""Servers that are not ours, and Rootward as a process: `make test-services` runs these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.brokers import RabbitServer, RedisServer
from tests.real.node import Node
from tests.real.proxy import Proxy, proxy

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands in this folder; servers take their time to start on a busy machine."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.services)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Rootward on a database of its own, with the detector's rows at their shortest."""
    with Node(tmp_path / "rootward", step_seconds=1) as one:
        yield one


@pytest.fixture
def recorder(node: Node) -> Iterator[Proxy]:
    """A proxy in front of the node."""
    with proxy() as one:
        one.upstream = node.url
        yield one


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Redis, one server for all tests of a process."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def rabbit_server() -> Iterator[RabbitServer]:
    """RabbitMQ, one server for all tests of a process."""
    with RabbitServer() as server:
        yield server
