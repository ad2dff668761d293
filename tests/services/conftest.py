"""What most tests start from: the intake and its bus, a cluster, the dashboard over a shop."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock, fake_platform
from rootward_dashboard.app import create_app as create_dashboard
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
from tests.services import made_up_incident as shop
from tests.services.kubernetes_server import Cluster, serving
from tests.services.watched import Watched


@pytest.fixture
def bus(fake_platform: Platform) -> FakeBus:
    assert isinstance(fake_platform.bus, FakeBus)
    return fake_platform.bus


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    return TestClient(create_app(fake_platform, Limits()))


@pytest.fixture
def watched(fake_platform: Platform, tmp_path: Path) -> Iterator[Watched]:
    cluster = Cluster(token="secret")
    with serving(cluster) as url:
        one = Watched(cluster, url, fake_platform, tmp_path)
        yield one
        one.stop()


@pytest.fixture
def filled() -> Platform:
    """The made-up incident in a shop, with all that is known of it."""
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    return platform


@pytest.fixture(scope="module")
def reader() -> TestClient:
    """The dashboard over it, for tests that only read: what is behind it is theirs together."""
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    return TestClient(create_dashboard(platform))
