"""What most tests of the intake start from: its application, the bus behind it, a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits
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
