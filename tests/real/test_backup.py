"""What docs/deploy.md says about backups, done: copied while it runs, restored, read again."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from rootward import bootstrap
from rootward.model.incident import Change, Incident
from rootward.model.series import Sample, SampleBatch, Series
from rootward.settings import Settings
from tests.real.node import Node, stored
from tests.real.postgres import PostgresServer

CART = Series.of("latency_p99", "cart")
ROOT = Path(__file__).parents[2]


def _push(node: Node, at: float, value: float) -> None:
    sample = {"service": "cart", "metric": "latency_p99", "value": value, "time": at}
    answer = httpx.post(f"{node.url}/api/v1/samples", json={"samples": [sample]}, timeout=30)
    answer.raise_for_status()


def _command() -> str:
    """The program of the backup as the page gives it, for `python -c`."""
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if ".backup(sqlite3" in line]
    return line.partition('python -c "')[2].rpartition('"')[0]


def test_a_copy_of_a_running_sqlite_file_holds_all_that_was_answered(tmp_path: Path):
    start = float(int(time.time()) - 60)
    with Node(tmp_path / "old", step_seconds=1) as node:
        for k in range(20):
            _push(node, start + k, float(k))
        node.until_idle()
        copied = tmp_path / "backup.db"
        program = _command().replace("/data/backup.db", str(copied))
        program = program.replace("/data/rootward.db", str(node.database))
        subprocess.run([sys.executable, "-c", program], check=True)
        _push(node, start + 30, 30.0)  # after the copy, and not in it

    new = tmp_path / "new"
    new.mkdir()
    copied.rename(new / "rootward.db")
    with Node(new, step_seconds=1) as restored:
        _push(restored, start + 40, 40.0)
        restored.settle()
    microseconds = [round((start + k) * 1e6) for k in (*range(20), 30, 40)]
    samples = stored(restored.database_url, microseconds)
    found = {at: value for (_, at), value in samples.items()}
    expected = {round((start + k) * 1e6): float(k) for k in (*range(20), 40)}
    assert found == expected


def _restored_in(folder: Path) -> str:
    """What the page runs in the pod that holds the volume, for `sh -c`."""
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if "exec restore -- sh -c" in line]
    return line.partition('sh -c "')[2].rpartition('"')[0].replace("/data", str(folder))


def test_a_copy_put_in_place_of_a_file_that_was_in_use_is_what_is_read(tmp_path: Path):
    start = float(int(time.time()) - 60)
    folder = tmp_path / "data"
    with Node(folder, step_seconds=1) as node:
        _push(node, start, 1.0)
        node.until_idle()
        program = _command().replace("/data", str(folder))
        subprocess.run([sys.executable, "-c", program], check=True)
        _push(node, start + 1, 2.0)
        node.kill()
        assert Path(f"{node.database}-wal").stat().st_size
        subprocess.run(["sh", "-c", _restored_in(folder)], check=True)
        assert not Path(f"{node.database}-wal").exists()
        twice = subprocess.run(["sh", "-c", _restored_in(folder)], capture_output=True, check=False)
        assert b"File exists" in twice.stderr
        node.start()
        _push(node, start + 2, 3.0)
        node.settle()
    microseconds = [round((start + k) * 1e6) for k in range(3)]
    found = {at: value for (_, at), value in stored(node.database_url, microseconds).items()}
    assert found == {microseconds[0]: 1.0, microseconds[2]: 3.0}


def test_a_dump_of_postgresql_is_a_whole_database(postgres: PostgresServer, migrated: str):
    name, other = postgres.fresh(migrated), postgres.fresh()
    platform = bootstrap.build(Settings(database_url=postgres.url(name)))
    for k in range(100):
        platform.samples.append(SampleBatch.of([Sample(CART, 1.7e9 + k, float(k))]))
    change = Change(CART, 1.7e9, 5.5, 1.0, 9.0)
    opened = platform.incidents.open(
        Incident("id0", "default", 1.7e9, 1.7e9, CART, (change,), "cart is slow")
    )
    platform.jobs.submit("note", k=1)

    postgres.dump(name, other)
    platform.close()

    restored = bootstrap.build(Settings(database_url=postgres.url(other)))
    assert restored.incidents.current() == (opened,)
    assert restored.jobs.backlog() == 1
    assert restored.samples.latest_unix() == 1.7e9 + 99
    again = Incident("id1", "default", 1.7e9, 1.7e9, CART, (change,), "cart is slow again")
    assert restored.incidents.open(again).number == 2
    restored.samples.append(SampleBatch.of([Sample(CART, 1.7e9 + 100, 100.0)]))
    assert restored.samples.latest_unix() == 1.7e9 + 100
    restored.close()
    for one in (name, other):
        postgres.drop(one)
