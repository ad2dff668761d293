"""Fixtures that every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rootward import bootstrap
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import fakes


@pytest.fixture
def clock() -> fakes.ManualClock:
    """A clock that stands still until the test moves it."""
    return fakes.ManualClock()


@pytest.fixture
def platform(tmp_path: Path, clock: fakes.ManualClock) -> Iterator[Platform]:
    """The embedded platform on a temporary SQLite file, with the manual clock."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'rootward.db'}")
    built = bootstrap.build(settings, clock)
    yield built
    built.close()


@pytest.fixture
def fake_platform(clock: fakes.ManualClock) -> Platform:
    """A platform of fakes, with the manual clock."""
    return fakes.fake_platform(clock)
