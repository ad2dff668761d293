"""`rootward work` on real brokers."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rootward import bootstrap
from rootward.ports import Platform
from rootward.settings import Settings
from tests.contract.databases import MakeDatabase
from tests.real.brokers import RabbitServer, RedisServer
from tests.real.servers import stopped, until


@contextmanager
def work(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    surroundings = {
        "ROOTWARD_DATABASE_URL": settings.database_url,
        "ROOTWARD_JOBS_URL": settings.jobs_url,
        "ROOTWARD_PORT": "0",
        "ROOTWARD_WORKERS": "1",
        "ROOTWARD_LOG_FORMAT": "text",
    }
    process = subprocess.Popen(["rootward", "work"], env=os.environ | surroundings)
    try:
        yield process
    finally:
        stopped(process)


@pytest.fixture(params=["redis_server", "rabbit_server"])
def settings(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Settings:
    broker: RedisServer | RabbitServer = request.getfixturevalue(request.param)
    return Settings(database_url=make_database("postgresql"), jobs_url=broker.jobs_url)


@pytest.fixture
def platform(settings: Settings) -> Iterator[Platform]:
    built = bootstrap.build(settings)
    yield built
    built.close()


def test_it_runs_what_others_submit_and_ends_cleanly(platform: Platform, settings: Settings):
    with work(settings) as process:
        until(platform.results.catalogue, "the catalogue is written")
        platform.jobs.submit("analyse", incident_id="none", method="robust_z")
        until(lambda: platform.dead_letters[0].all(), "a job without its incident is given up on")
        until(lambda: platform.jobs.backlog() == 0, "nothing is left to do")
        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
    (letter,) = platform.dead_letters[0].all()
    assert letter.name == "analyse"


def test_celery_s_own_commands_find_the_workers(
    platform: Platform, settings: Settings, tmp_path: Path
):
    with work(settings):
        until(platform.results.catalogue, "the catalogue is written")
        done = subprocess.run(
            ["celery", "-A", "rootward_cli.celery_app", "inspect", "ping", "--timeout", "10"],
            env=os.environ | {"ROOTWARD_JOBS_URL": settings.jobs_url},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.count("pong") == 2, done.stdout + done.stderr
