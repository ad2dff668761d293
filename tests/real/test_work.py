"""`rootward work` on real brokers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from rootward import bootstrap
from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import open_database
from rootward.methods.discovery.neural_granger.method import NeuralGranger
from rootward.methods.discovery.neural_granger.parts import LARGEST_PART
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.spread import Arrays, GoOn, PartWork
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import cases
from rootward_worker.spreading import Spreader
from tests.real.brokers import RabbitServer, RedisServer
from tests.real.children import until
from tests.real.node import Program
from tests.real.postgres import PostgresServer

WIDE = cases.random_graph(rows=160, seed=3, series=2 * LARGEST_PART + 10).window
METHOD = NeuralGranger(steps=60)


@pytest.fixture(scope="module", params=["redis_server", "rabbit_server"])
def settings(
    request: pytest.FixtureRequest, postgres: PostgresServer, migrated: str
) -> Iterator[Settings]:
    broker: RedisServer | RabbitServer = request.getfixturevalue(request.param)
    name = postgres.fresh(migrated)
    yield Settings(database_url=postgres.url(name), jobs_url=broker.jobs_url)
    postgres.drop(name)


@pytest.fixture(scope="module")
def platform(settings: Settings) -> Iterator[Platform]:
    built = bootstrap.build(settings)
    yield built
    built.close()


@pytest.fixture(scope="module")
def work(
    settings: Settings, platform: Platform, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """One process for all tests of a broker; the last one of them stops it."""
    urls = {"database_url": settings.database_url, "jobs_url": settings.jobs_url}
    with Program(tmp_path_factory.mktemp("work"), "work", workers=1, **urls) as one:
        until(platform.results.catalogue, "the catalogue is written, and torch loaded")
        yield one


@pytest.fixture(scope="module")
def alone() -> CausalGraph:
    """What one process learns."""
    return METHOD.learn(Case(WIDE))


@pytest.mark.usefixtures("work")
def test_celery_s_own_commands_find_the_workers(settings: Settings, tmp_path: Path):
    asked = ["-m", "celery", "-A", "rootward_cli.celery_app", "inspect", "ping", "--timeout", "10"]
    done = subprocess.run(
        [sys.executable, *asked],
        env=os.environ | {"ROOTWARD_JOBS_URL": settings.jobs_url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.count("pong") == 2, done.stdout + done.stderr


@pytest.mark.usefixtures("work")
def test_a_wide_fit_is_shared_with_other_processes_and_gives_the_same_graph(
    platform: Platform, settings: Settings, alone: CausalGraph
):
    helped = threading.Event()

    def waiting(name: str, part: PartWork, shared: Arrays, parts: int, go_on: GoOn) -> list[Arrays]:
        def last(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
            until(lambda: _taken(settings) > 1, "another process has taken a part")
            helped.set()
            return part(shared, number, go_on)

        return Spreader(platform, 300.0)(name, last, shared, parts, go_on)

    shared = METHOD.learn(Case(WIDE, spread=waiting))

    assert helped.is_set()
    assert shared == alone


def test_it_runs_what_others_submit_and_ends_cleanly(platform: Platform, work: Program):
    platform.jobs.submit("analyse", incident_id="none", method="robust_z")
    until(lambda: platform.dead_letters[0].all(), "a job without its incident is given up on")
    until(lambda: platform.jobs.backlog() == 0, "nothing is left to do")
    given_up = 'rootward_dead_letters_total{kind="job",tenant="default"} 1.0'
    metrics = f"{work.url}/metrics"
    until(lambda: given_up in httpx.get(metrics, timeout=30).text, "its metrics say so")

    assert work.stop() == 0
    (letter,) = platform.dead_letters[0].all()
    assert letter.name == "analyse"


def _taken(settings: Settings) -> int:
    database = open_database(settings.database_url)
    with database.reading() as connection:
        taken = (
            select(func.count()).select_from(tables.part).where(tables.part.c.token.is_not(None))
        )
        found = connection.scalar(taken)
    database.close()
    return found or 0
