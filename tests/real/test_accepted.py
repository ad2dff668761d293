"""What was answered with 2xx is stored exactly once, whatever happens to Rootward meanwhile.

A real Prometheus sends all the time; a proxy in front of Rootward notes what was promised.
"""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from tests.real.children import free_port
from tests.real.node import Node
from tests.real.sending import Outcome, Sending, sending

REPORTS = Path(__file__).parents[2] / "out/bench/accepted"
"""A file for each way to go wrong: what was sent, promised and kept until then, by all tests."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sending]:
    """Prometheus and Rootward, started once for all tests here."""
    folder = tmp_path_factory.mktemp("sending")
    node = Node(folder / "rootward", port=free_port(), step_seconds=1, window_rows=20)
    with sending(folder / "prometheus", node) as one:
        yield one


@pytest.fixture
def under_way(shared: Sending) -> Sending:
    """Prometheus sends to Rootward, and requests are accepted."""
    if shared.node.process.poll() is not None:
        shared.node.start()
    shared.recorder.upstream = shared.node.url
    shared.until_accepted()
    return shared


def pause(seconds: float) -> None:
    """Let a random time go by, which is what these tests are about."""
    Event().wait(seconds)


def require_kept(outcome: Outcome, what: str) -> None:
    """Note the outcome, and require that promises were made and every one was kept."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    (REPORTS / f"{what}.json").write_text(json.dumps(asdict(outcome), indent=2) + "\n")
    assert outcome.wrong == ()
    assert outcome.accepted > 1000


@pytest.mark.parametrize(
    "kills", [5, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_what_was_accepted_survives_kills_at_random_moments(under_way: Sending, kills: int):
    moments = np.random.default_rng(kills)
    for k in range(kills):
        if k % 5 == 4:  # while it starts
            under_way.node.launch()
            pause(moments.uniform(0, 5))
            under_way.node.kill()
        elif k:
            under_way.restart()
            under_way.until_accepted()
        pause(moments.uniform(0, 2))
        under_way.node.kill()
    under_way.restart()
    require_kept(under_way.settle(), f"kill-{kills}")


def test_it_ends_in_order_when_told_to_while_requests_come_in(under_way: Sending):
    moments = np.random.default_rng(3)
    for _ in range(3):
        pause(moments.uniform(0, 1))
        assert under_way.node.stop() == 0
        under_way.restart()
        under_way.until_accepted()
    require_kept(under_way.settle(), "sigterm")


def test_a_database_that_is_locked_refuses_until_it_is_free(under_way: Sending):
    holder = sqlite3.connect(under_way.node.database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert "database" in under_way.until_refused(503)
    holder.execute("ROLLBACK")
    holder.close()
    under_way.until_accepted()
    require_kept(under_way.settle(), "locked")


def test_a_database_that_is_gone_refuses_until_it_is_back(under_way: Sending):
    database = under_way.node.database
    aside = database.with_suffix(".aside")
    database.rename(aside)
    assert "gone" in under_way.until_refused(503)
    assert not database.exists()
    aside.rename(database)
    under_way.until_accepted()
    require_kept(under_way.settle(), "gone")


def test_files_that_cannot_grow_refuse_until_they_can(under_way: Sending):
    process = under_way.node.process.pid
    unlimited = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (2**16, unlimited[1]))
    assert "database" in under_way.until_refused(503)
    resource.prlimit(process, resource.RLIMIT_FSIZE, unlimited)
    under_way.until_accepted()
    require_kept(under_way.settle(), "full")
