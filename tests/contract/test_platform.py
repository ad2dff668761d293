"""Bootstrap, migrations, clocks and the policy of delivery."""

from __future__ import annotations

import importlib.util
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, inspect

from rootward import bootstrap
from rootward.adapters.clock import SystemClock
from rootward.adapters.delivery import Outcome, Policy
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import migrate
from rootward.errors import Busy, InvalidConfiguration, InvalidInput, Unavailable
from rootward.settings import Settings
from rootward.testing.fakes import ManualClock


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'rootward.db'}"


class TestBootstrap:
    def test_it_creates_folder_database_and_tables(self, tmp_path: Path):
        file = tmp_path / "a" / "new" / "folder" / "rootward.db"

        platform = bootstrap.build(Settings(database_url=f"sqlite:///{file}"))

        platform.samples.check()
        platform.incidents.check()
        assert (platform.bus.backlog(), platform.jobs.backlog()) == (0, 0)
        platform.close()
        platform.close()
        assert file.exists()

    def test_it_uses_the_clock_that_it_is_given(self, url: str):
        clock = ManualClock(5.0)
        platform = bootstrap.build(Settings(database_url=url), clock)

        assert platform.clock is clock
        platform.close()

    def test_without_one_it_uses_the_clock_of_the_system(self, url: str):
        platform = bootstrap.build(Settings(database_url=url))

        assert isinstance(platform.clock, SystemClock)
        platform.close()

    @pytest.mark.parametrize(
        ("name", "value", "allowed"),
        [
            ("bus_url", "nats://nats:4222", "scheme nats; allowed: embedded://, kafka://"),
            ("bus_url", "kafka://kafka", r"must be kafka://\[USER:PASSWORD@\]HOST:PORT"),
            ("bus_url", "embedded", r"\(none\); allowed: embedded://"),
            ("jobs_url", "beanstalk://h", r"scheme beanstalk; allowed: thread://, celery\+redis"),
            ("jobs_url", "celery+sqs://h", r"scheme celery\+sqs; allowed: thread:"),
            ("samples_url", "http://p:9090", r"scheme http; allowed: promql\+http"),
            ("database_url", "mysql://h/d", "scheme mysql; allowed: sqlite:///FILE or postgresql"),
            ("database_url", "sqlite://", "names no file"),
            ("database_url", "sqlite:///:memory:", "names no file"),
            ("database_url", "rootward.db", "no URL; allowed: sqlite:///FILE"),
        ],
    )
    def test_a_url_that_is_not_supported_is_named_with_what_is(
        self, name: str, value: str, allowed: str
    ):
        with pytest.raises(InvalidConfiguration, match=f"ROOTWARD_{name.upper()}.*{allowed}"):
            bootstrap.build(Settings(**{name: value}))

    def test_postgresql_without_its_driver_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

        with pytest.raises(InvalidConfiguration, match="pip install 'psycopg"):
            bootstrap.build(Settings(database_url="postgresql://h/d"))

    def test_samples_from_elsewhere_and_scraping_exclude_each_other(self, tmp_path: Path):
        settings = Settings(samples_url="promql+http://p:9090", scrape_file=tmp_path / "targets")

        with pytest.raises(InvalidConfiguration, match="leave one of them empty"):
            bootstrap.build(settings)

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path: Path):
        (tmp_path / "file").touch()

        with pytest.raises(InvalidConfiguration, match="folder cannot be created"):
            bootstrap.build(Settings(database_url=f"sqlite:///{tmp_path}/file/rootward.db"))

    def test_a_file_that_is_no_database_is_unavailable(self, tmp_path: Path):
        file = tmp_path / "rootward.db"
        file.write_text("this is a letter, not a database" * 100)

        with pytest.raises(Unavailable, match="not a database"):
            bootstrap.build(Settings(database_url=f"sqlite:///{file}"))


class TestSqlite:
    @pytest.fixture
    def database(self, url: str) -> Database:
        return open_database(url)

    @pytest.mark.parametrize(
        ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
    )
    def test_a_commit_is_on_the_disk_when_it_returns(
        self, database: Database, pragma: str, value: object
    ):
        with database.reading() as connection:
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
        database.close()

    def test_a_lock_held_by_another_process_is_unavailable(
        self, database: Database, tmp_path: Path
    ):
        migrate(database)
        other = sqlite3.connect(tmp_path / "rootward.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        def impatient(connection: sqlite3.Connection, *_more: object) -> None:
            connection.execute("PRAGMA busy_timeout = 20")

        database.close()
        event.listen(database.engine, "connect", impatient)
        with pytest.raises(Unavailable, match="database is locked"):
            database.write(lambda connection: None)
        other.close()
        database.write(lambda connection: None)
        database.close()

    def test_a_file_that_is_gone_is_unavailable_until_it_is_back(
        self, database: Database, tmp_path: Path
    ):
        migrate(database)
        file, aside = tmp_path / "rootward.db", tmp_path / "aside.db"
        file.rename(aside)
        database.close()  # the next connection must not make a new file

        for ask in (lambda: database.write(lambda connection: None), database.check_disk):
            with pytest.raises(Unavailable, match="gone"):
                ask()
        assert not file.exists()

        aside.rename(file)
        database.write(lambda connection: None)
        database.close()

    def test_another_file_in_its_place_is_refused(self, database: Database, tmp_path: Path):
        migrate(database)
        (tmp_path / "rootward.db").rename(tmp_path / "aside.db")
        (tmp_path / "rootward.db").touch()

        with pytest.raises(Unavailable, match="another file"):
            database.write(lambda connection: None)
        database.close()

    def test_a_file_that_goes_while_it_is_written_to_is_unavailable(
        self, database: Database, tmp_path: Path
    ):
        migrate(database)

        file, aside = tmp_path / "rootward.db", tmp_path / "aside.db"

        def work(connection: Connection) -> None:
            connection.exec_driver_sql("CREATE TABLE refused (x)")
            file.rename(aside)

        with pytest.raises(Unavailable, match="gone"):
            database.write(work)

        aside.rename(file)
        assert "refused" not in inspect(database.engine).get_table_names()
        database.close()


class TestDelivery:
    @pytest.mark.parametrize(
        ("error", "tries", "outcome"),
        [
            (ValueError("x"), 4, Outcome.AGAIN),
            (ValueError("x"), 5, Outcome.DEAD),
            (InvalidInput("x"), 1, Outcome.DEAD),
            (Unavailable("x"), 99, Outcome.OUTAGE),
            (Busy("x"), 99, Outcome.OUTAGE),
        ],
    )
    def test_an_error_is_judged(self, error: Exception, tries: int, outcome: Outcome):
        def work() -> None:
            raise error

        assert Policy().deliver(work, tries, "batch").outcome is outcome

    def test_a_failure_is_logged_with_its_traceback(self, caplog: pytest.LogCaptureFixture):
        def work() -> None:
            raise ZeroDivisionError("by nothing")

        Policy().deliver(work, 1, "batch")

        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert record.exc_info is not None

    def test_waits_grow_up_to_a_bound(self):
        waits = [Policy().wait_seconds(k) for k in range(1, 12)]

        assert waits == sorted(waits)
        assert waits[0] < 1.0
        assert waits[-1] == Policy().longest_wait_seconds


class TestClocks:
    def test_the_clock_of_the_system_tells_the_time(self):
        before = time.time()

        assert before <= SystemClock().now() <= time.time()
