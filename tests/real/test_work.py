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
from rootward.model.spread import Arrays, GoOn, PartWork
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import cases
from rootward_worker.spreading import Spreader
from tests.contract.databases import MakeDatabase
from tests.real.brokers import RabbitServer, RedisServer
from tests.real.children import until
from tests.real.node import Program


@pytest.fixture(params=["redis_server", "rabbit_server"])
def settings(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Settings:
    broker: RedisServer | RabbitServer = request.getfixturevalue(request.param)
    return Settings(database_url=make_database("postgresql"), jobs_url=broker.jobs_url)


@pytest.fixture
def work(settings: Settings, tmp_path: Path) -> Program:
    """A process that is not started yet."""
    urls = {"database_url": settings.database_url, "jobs_url": settings.jobs_url}
    return Program(tmp_path, "work", workers=1, **urls)


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    built = bootstrap.build(settings)
    yield built
    built.close()


def test_it_runs_what_others_submit_and_ends_cleanly(platform: Platform, work: Program):
    with work:
        until(platform.results.catalogue, "the catalogue is written")
        platform.jobs.submit("analyse", incident_id="none", method="robust_z")
        until(lambda: platform.dead_letters[0].all(), "a job without its incident is given up on")
        until(lambda: platform.jobs.backlog() == 0, "nothing is left to do")
        given_up = 'rootward_dead_letters_total{kind="job"} 1.0'
        metrics = f"{work.url}/metrics"
        until(lambda: given_up in httpx.get(metrics, timeout=30).text, "its metrics say so")

        assert work.stop() == 0
    (letter,) = platform.dead_letters[0].all()
    assert letter.name == "analyse"


def test_celery_s_own_commands_find_the_workers(
    platform: Platform, settings: Settings, work: Program, tmp_path: Path
):
    with work:
        until(platform.results.catalogue, "the catalogue is written")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "rootward_cli.celery_app",
                "inspect",
                "ping",
                "--timeout",
                "10",
            ],
            env=os.environ | {"ROOTWARD_JOBS_URL": settings.jobs_url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.count("pong") == 2, done.stdout + done.stderr


def test_a_wide_fit_is_shared_with_other_processes_and_gives_the_same_graph(
    platform: Platform, settings: Settings, work: Program
):
    wide = cases.random_graph(rows=160, seed=3, series=2 * LARGEST_PART + 10).window
    method, helped = NeuralGranger(steps=60), threading.Event()
    alone = method.learn(Case(wide))

    def waiting(name: str, part: PartWork, shared: Arrays, parts: int, go_on: GoOn) -> list[Arrays]:
        def last(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
            until(lambda: _taken(settings) > 1, "another process has taken a part")
            helped.set()
            return part(shared, number, go_on)

        return Spreader(platform, 300.0)(name, last, shared, parts, go_on)

    with work:
        until(platform.results.catalogue, "the catalogue is written, and torch loaded")
        shared = method.learn(Case(wide, spread=waiting))

    assert helped.is_set()
    assert shared == alone


def _taken(settings: Settings) -> int:
    database = open_database(settings.database_url)
    with database.reading() as connection:
        taken = (
            select(func.count()).select_from(tables.part).where(tables.part.c.token.is_not(None))
        )
        found = connection.scalar(taken)
    database.close()
    return found or 0
