"""`rootward dead-letters`: what was given up on is shown, and tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rootward import bootstrap
from rootward.adapters.delivery import Policy
from rootward.adapters.embedded import EmbeddedBus
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform
from rootward.settings import Settings
from rootward_cli.main import app
from tests.contract.deliveries import Deliveries


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    url = f"sqlite:///{tmp_path / 'rootward.db'}"
    monkeypatch.setenv("ROOTWARD_DATABASE_URL", url)
    return Settings(database_url=url)


def _give_up_on_one(platform: Platform) -> None:
    refused = Deliveries()
    refused.fail_with(lambda *_: ValueError("poison"))
    assert isinstance(platform.bus, EmbeddedBus)
    platform.bus._policy = Policy(first_wait_seconds=0.0)
    platform.bus.publish(SampleBatch.of([Sample(Series.of("m", "cart"), 1.0, 2.0)]))
    platform.bus.serve(refused)
    refused.wait_for(5)
    platform.close()


def test_what_was_given_up_on_is_listed_and_tried_again(settings: Settings):
    _give_up_on_one(bootstrap.build(settings))

    listed = CliRunner().invoke(app, ["dead-letters", "list"])
    replayed = CliRunner().invoke(app, ["dead-letters", "replay"])

    assert "ValueError: poison" in listed.output
    assert "1 to be tried again, 0 left" in replayed.output
    platform, arrived = bootstrap.build(settings), Deliveries()
    platform.bus.serve(lambda batch: arrived(batch.values[0]))
    assert arrived.wait_for(1) == [2.0]
    platform.close()


def test_letters_are_left_alone_while_another_process_serves_the_queues(settings: Settings):
    _give_up_on_one(bootstrap.build(settings))
    serving = bootstrap.build(settings)
    serving.bus.serve(lambda _: None)

    refused = CliRunner().invoke(app, ["dead-letters", "replay"])
    serving.close()

    assert "another process serves the bus" in str(refused.exception)
    assert "ValueError: poison" in CliRunner().invoke(app, ["dead-letters", "list"]).output
