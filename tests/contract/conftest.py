"""Platforms and databases of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rootward import bootstrap
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import fakes
from tests.contract.databases import KINDS, MakeDatabase
from tests.real.brokers import KafkaServer


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The url of a broker, started once for all tests of a process."""
    with KafkaServer() as broker:
        yield broker.url


@pytest.fixture(params=["fake", *KINDS])
def stores(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Iterator[Platform]:
    """A platform whose stores keep to one contract: on a database of its own, or of fakes."""
    if request.param == "fake":
        yield fakes.fake_platform()
        return
    built = bootstrap.build(Settings(database_url=make_database(request.param)))
    yield built
    built.close()


@pytest.fixture
def reopened(database_url: str) -> Iterator[Callable[[], Database]]:
    """Opens the database of the test, as each process does for itself."""
    opened: list[Database] = []

    def reopen() -> Database:
        opened.append(open_database(database_url))
        migrate(opened[-1])
        return opened[-1]

    yield reopen
    for one in opened:
        one.close()


@pytest.fixture
def database(reopened: Callable[[], Database]) -> Database:
    """A database with all its tables."""
    return reopened()
