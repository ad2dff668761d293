"""An upgrade and its rollback with the code from before the newest migration: nothing is lost.

Run by `make rehearse-upgrade`.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Table, func, select

from rootward import bootstrap
from rootward.adapters.sql import migrations, tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.migrations import pending
from rootward.model.series import Series
from rootward.ports import WindowQuery
from rootward.settings import Settings
from tests.contract.databases import MakeDatabase
from tests.real.children import until
from tests.real.node import Program
from tests.services.alert_messages import labelled, notification

ROOT = Path(__file__).parents[2]
LATENCY = Series.of("latency_p99", "cart")
PACKAGES = ("shared", *(f"services/{n}" for n in ("ingest", "worker", "dashboard", "cli")))


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was before the newest migration came."""
    archive = _git("archive", _last_without_the_newest_migration(), *PACKAGES)
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def _last_without_the_newest_migration() -> str:
    """The newest commit that lacks it, and whose migrations have a number each."""
    where = Path(migrations.__file__).parent / "versions"
    newest = max(file.name for file in where.glob("*.py"))
    for commit in _git("log", "--format=%H", "--", str(where)).decode().split():
        listed = _git("ls-tree", "--name-only", f"{commit}:{where.relative_to(ROOT)}").decode()
        files = [name for name in listed.split() if name.endswith(".py")]
        if newest not in files and len({name[:4] for name in files}) == len(files):
            return commit
    pytest.skip("the history goes back to no version without the newest migration")


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no history to take an older version from: {done.stderr.decode().strip()}")
    return done.stdout


class Sender:
    """Sends one sample after the other, to whoever of several takes it, and notes what they took.

    A sample that nobody took is sent again, as senders do.
    """

    def __init__(self, *programs: Program) -> None:
        self.programs = list(programs)
        self.accepted: list[float] = []
        """Values of one series, one a second from `start_unix` on."""
        self.start_unix = round(time.time()) - 3000.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def __enter__(self) -> Sender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def goes_on(self, more: int = 5) -> None:
        """Return once so many more were taken."""
        wanted = len(self.accepted) + more
        until(lambda: len(self.accepted) >= wanted, "samples are taken")

    def _send(self) -> None:
        client = httpx.Client(timeout=30)
        while not self._stop.wait(0.1):
            number = len(self.accepted)
            at = self.start_unix + number
            sample = {"service": "cart", "metric": LATENCY.metric, "value": number, "time": at}
            to = self.programs[number % len(self.programs)]
            try:
                answer = client.post(f"{to.url}/api/v1/samples", json={"samples": [sample]})
            except httpx.TransportError:
                continue
            if answer.is_success:
                self.accepted.append(float(number))
        client.close()


class Version(Program):
    """Rootward from a tree of its code."""

    def __init__(self, folder: Path, command: str, url: str, code: Path) -> None:
        super().__init__(folder, command, database_url=url, step_seconds=1)
        self._path = ":".join(str(code / package) for package in PACKAGES)

    def surroundings(self) -> Mapping[str, str]:
        """Its settings, and where its modules are."""
        return {**super().surroundings(), "PYTHONPATH": self._path}


def _fire(program: Program) -> None:
    """Send an alert."""
    started = datetime.now(UTC).isoformat()
    fired = labelled("cart", "f1", severity="critical", startsAt=started)
    httpx.post(
        f"{program.url}/api/v1/alerts", json=notification(fired), timeout=30
    ).raise_for_status()


def _migrate(url: str) -> None:
    """What the chart's job does before anything else changes."""
    told = ("env", f"ROOTWARD_DATABASE_URL={url}", sys.executable, "-m", "rootward_cli", "migrate")
    subprocess.run(told, cwd=ROOT, check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "kept"),
    [("ingest", tables.alert), ("up", tables.incident)],
    ids=["ingest", "up"],
)
def test_the_newer_code_takes_over_while_the_older_one_writes_and_gives_back_again(
    make_database: MakeDatabase, before: Path, tmp_path: Path, command: str, kept: Table
):
    url = make_database("empty postgresql")
    with closing(open_database(url)) as database:
        with (
            Version(tmp_path / "old", command, url, before) as old,
            Sender(old) as sender,
        ):
            _fire(old)
            until(lambda: _rows(database, kept) == 1, "the older version keeps it")
            sender.goes_on()
            assert len(pending(database)) == 1
            _migrate(url)
            assert pending(database) == ()
            sender.goes_on()

            with Version(tmp_path / "new", "ingest", url, ROOT) as new:
                sender.programs.append(new)
                sender.goes_on()
                sender.programs.remove(old)
                assert old.stop() == 0
                sender.goes_on()
                old.start()  # the rollback: the older code, on the newer tables
                sender.programs[:] = [old]
            sender.goes_on()
            assert "the database is of a later version" in old.log
            assert _rows(database, kept) == 1
        with closing(bootstrap.build(Settings(database_url=url))) as platform:
            platform.bus.serve(platform.samples.append)
            until(lambda: not _rows(database, tables.queued_batch), "all that was taken is handled")
            assert [one.service for one in platform.alerts.page().items] == ["cart"]
            rows = len(sender.accepted)
            last = WindowQuery(end_unix=sender.start_unix + rows - 1, rows=rows, step_seconds=1.0)
            assert platform.samples.window(last).values[:, 0].tolist() == sender.accepted


def _rows(database: Database, table: Table) -> int:
    with database.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)
