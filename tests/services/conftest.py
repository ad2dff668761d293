"""What most tests of the intake start from: its application, and the bus behind it."""

import pytest
from fastapi.testclient import TestClient

from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits


@pytest.fixture
def bus(fake_platform: Platform) -> FakeBus:
    assert isinstance(fake_platform.bus, FakeBus)
    return fake_platform.bus


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    return TestClient(create_app(fake_platform, Limits()))
