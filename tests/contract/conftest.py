"""The platforms whose stores keep to one contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rootward import bootstrap
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing import fakes


@pytest.fixture(params=["embedded", "fake"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    if request.param == "fake":
        yield fakes.fake_platform()
        return
    built = bootstrap.build(Settings(database_url=f"sqlite:///{tmp_path / 'stores.db'}"))
    yield built
    built.close()
