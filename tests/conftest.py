"""Fixtures that every test may ask for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import hypothesis
import pytest

from rootward import bootstrap
from rootward.adapters.sql.engine import open_database
from rootward.adapters.sql.migrations import migrate
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import fakes
from tests.contract.databases import KINDS, MakeDatabase
from tests.real.postgres import PostgresServer

# The same examples every time, and no test that fails because the machine was busy.
hypothesis.settings.register_profile("rootward", deadline=None, derandomize=True)
hypothesis.settings.load_profile("rootward")


@pytest.fixture
def measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes a sentence with figures; the end of the run prints it, and docs quote it."""
    return partial(record_property, "measured")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, by file."""
    said = sorted(
        f"{report.nodeid.partition('::')[0]}: {sentence}"
        for report in terminalreporter.getreports("") + terminalreporter.getreports("passed")
        for name, sentence in getattr(report, "user_properties", ())
        if name == "measured" and report.when == "call"
    )
    if said:
        terminalreporter.section("measured")
    for line in said:
        terminalreporter.write_line(line)


@pytest.fixture
def clock() -> fakes.ManualClock:
    """A clock that stands still until the test moves it."""
    return fakes.ManualClock()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with all tables and nothing in them, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "rootward.db"
    database = open_database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    return file


@pytest.fixture
def platform(migrated_file: Path, tmp_path: Path, clock: fakes.ManualClock) -> Iterator[Platform]:
    """The embedded platform on a temporary SQLite file, with the manual clock."""
    file = shutil.copy(migrated_file, tmp_path / "rootward.db")
    built = bootstrap.build(Settings(database_url=f"sqlite:///{file}"), clock)
    yield built
    built.close()


@pytest.fixture
def fake_platform(clock: fakes.ManualClock) -> Platform:
    """A platform of fakes, with the manual clock."""
    return fakes.fake_platform(clock)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """PostgreSQL, one server for all tests of a process."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database of PostgreSQL with all tables and nothing in them, to be copied."""
    name = postgres.fresh()
    database = open_database(postgres.url(name))
    migrate(database)
    database.close()
    return name


@pytest.fixture
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Makes databases that no other test uses."""
    made: list[str] = []

    def make(kind: str) -> str:
        empty = kind.startswith("empty")
        if kind.endswith("sqlite"):
            made.append("")
            file = tmp_path / f"rootward{len(made)}.db"
            if not empty:
                shutil.copy(request.getfixturevalue("migrated_file"), file)
            return f"sqlite:///{file}"
        server: PostgresServer = request.getfixturevalue("postgres")
        made.append(server.fresh() if empty else server.fresh(request.getfixturevalue("migrated")))
        return server.url(made[-1])

    yield make
    for name in filter(None, made):
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, make_database: MakeDatabase) -> str:
    """Where a database of each kind is."""
    return make_database(request.param)
