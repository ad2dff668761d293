"""How the tables come to be, on each kind of database; two versions may run side by side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Inspector, inspect, text

from rootward import bootstrap
from rootward.adapters.sql import migrations, tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate, pending
from rootward.errors import Unavailable
from rootward.model.incident import Change, Incident
from rootward.model.series import Sample, SampleBatch, Series
from rootward.settings import Settings
from tests.contract.databases import KINDS, MakeDatabase, refusing
from tests.contract.deliveries import Deliveries
from tests.real.children import until

START = 1_700_000_000.0
START_SECONDS = 120.0
"""How long a process may take to load and migrate, on a busy machine."""
CART = Series.of("latency_p99", "cart")
_MIGRATE = """
import sys
from rootward.adapters.sql.engine import open_database
from rootward.adapters.sql.migrations import migrate
migrate(open_database(sys.argv[1]))
"""


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, make_database: MakeDatabase) -> str:
    """Where a database without tables is."""
    return make_database(f"empty {request.param}")


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    """A database without tables."""
    opened = open_database(empty_url)
    yield opened
    opened.close()


def test_the_migrated_tables_are_those_of_the_code(empty: Database):
    migrate(empty)

    with empty.engine.connect() as connection:
        drift = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    assert drift == []


def test_every_table_carries_a_tenant():
    assert [t.name for t in tables.metadata.tables.values() if "tenant" not in t.c] == []


def test_migrating_twice_changes_nothing(empty: Database):
    assert pending(empty)[0] == "0001"
    migrate(empty)
    assert pending(empty) == ()
    migrate(empty)


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database):
    with refusing(empty, "CREATE TABLE dead_letter"), pytest.raises(Unavailable):
        migrate(empty)

    assert inspect(empty.engine).get_table_names() == []
    migrate(empty)


def _children(url: str) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", _MIGRATE, url]) for _ in range(2)]


def test_two_processes_may_migrate_at_once(empty_url: str, empty: Database):
    assert [child.wait(START_SECONDS) for child in _children(empty_url)] == [0, 0]
    assert pending(empty) == ()


@pytest.mark.services
def test_of_two_processes_one_migrates_while_the_other_waits(make_database: MakeDatabase):
    url = make_database("empty postgresql")
    database = open_database(url)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    def work(connection: Connection) -> list[subprocess.Popen[bytes]]:
        database.exclude(connection, "migrations")
        started = _children(url)
        until(lambda: connection.scalar(text(waiting)) == 2, "both wait for the lock")
        return started

    assert [child.wait(START_SECONDS) for child in database.write(work)] == [0, 0]
    assert pending(database) == ()
    database.close()


def test_an_older_process_works_on_the_tables_of_a_later_version(empty_url: str, empty: Database):
    migrate(empty)
    empty.write(_expand)
    assert pending(empty) == ()

    platform = bootstrap.build(Settings(database_url=empty_url))
    arrived = Deliveries()
    platform.bus.serve(lambda batch: (platform.samples.append(batch), arrived(len(batch))))
    platform.bus.publish(SampleBatch.of([Sample(CART, START, 1.0)]))
    arrived.wait_for(1)
    change = Change(CART, START, 5.5, 1.0, 9.0)
    made = Incident("id0", "default", START, START, CART, (change,), "cart is slow")
    assert platform.incidents.open(made).number == 1
    platform.jobs.submit("note")
    assert platform.samples.latest_unix() == START
    platform.close()


def _expand(connection: Connection) -> None:
    """What a later version may do: add tables, and columns that may stay empty."""
    for name in tables.metadata.tables:
        connection.execute(text(f'ALTER TABLE "{name}" ADD COLUMN later TEXT'))
    connection.execute(text("CREATE TABLE later (id INTEGER)"))
    connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_each_migration_leaves_what_the_version_before_it_uses(empty: Database):
    """Expand, and contract in a later release: nothing goes, and nothing new is asked for."""
    before: dict[str, dict[str, tuple[str, bool]]] = {}
    for revision in pending(empty):
        empty.write(lambda connection, to=revision: _upgrade(connection, to))
        now = _columns(inspect(empty.engine))
        for table, columns in before.items():
            assert {n: now.get(table, {}).get(n) for n in columns} == columns, (revision, table)
            asked = {n for n, (_, must) in now[table].items() if must} - columns.keys()
            assert asked == set(), f"{revision}: the version before leaves them out of {table}"
        before = now


def _upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _columns(found: Inspector) -> dict[str, dict[str, tuple[str, bool]]]:
    """By table and column: the type, and whether every insert must name it."""
    return {
        table: {
            column["name"]: (
                str(column["type"]),
                not column["nullable"]
                and column["default"] is None
                and not column.get("primary_key"),
            )
            for column in found.get_columns(table)
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }
