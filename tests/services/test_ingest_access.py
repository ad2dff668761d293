"""Senders and their tokens: how they are shown, whose data it is, and how each is refused."""

from __future__ import annotations

import base64

import pytest
from fastapi.testclient import TestClient

from rootward.access import tokens
from rootward.access.gate import Gate, Policy
from rootward.model.access import Right
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus
from rootward_ingest.app import create_app
from rootward_ingest.intake import Intake, Limits
from rootward_ingest.tenants import Tenancy
from tests.services.otlp_messages import PROTOBUF, exported, gauge, status

HEADER = "X-Scope-OrgID"
NOW = 1_700_000_000.0
SAMPLE = {"samples": [{"service": "cart", "metric": "up", "time": NOW, "value": 1.0}]}


@pytest.fixture
def client(fake_platform: Platform) -> TestClient:
    gate = Gate(fake_platform.access, fake_platform.clock, Policy(login=True))
    intake = Intake(fake_platform, Limits(), Tenancy(HEADER))
    return TestClient(create_app(fake_platform, Limits(), intake=intake, gate=gate))


def issued(platform: Platform, *rights: Right) -> str:
    text, token = tokens.make("t", "a", rights, NOW)
    platform.access.add_token(token)
    return text


def test_bearer_and_basic_are_taken_and_the_tenant_of_the_token_wins(
    client: TestClient, fake_platform: Platform, bus: FakeBus
):
    text = issued(fake_platform, Right.INGEST)
    basic = base64.b64encode(f"prometheus:{text}".encode()).decode()
    for shown in (f"Bearer {text}", f"Basic {basic}"):
        headers = {"Authorization": shown, HEADER: "b"}
        answer = client.post("/api/v1/samples", json=SAMPLE, headers=headers)
        assert answer.status_code == 200, answer.text
    assert {batch.tenant for batch in bus.published} == {"a"}


def test_who_shows_nothing_is_told_how_before_the_body_is_read(client: TestClient, bus: FakeBus):
    answer = client.post("/api/v1/samples", content=b"\xff" * 10_000)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="rootward", Basic realm="rootward"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not bus.published


def test_otlp_is_refused_as_a_status(client: TestClient, fake_platform: Platform):
    body = exported(gauge()).SerializeToString()
    assert status(client.post("/v1/metrics", content=body, headers=PROTOBUF))[:2] == (401, 16)
    reader = {"Authorization": f"Bearer {issued(fake_platform, Right.READ)}"}
    answer = client.post("/v1/metrics", content=body, headers=PROTOBUF | reader)
    assert status(answer)[:2] == (403, 7)


def test_remote_write_is_refused_in_words_for_the_log_of_the_sender(client: TestClient):
    answer = client.post("/api/v1/write", content=b"", headers={"Authorization": "Bearer rw_x"})
    assert answer.status_code == 401
    assert answer.text == "who is sending?: the token is unknown, expired or revoked\n"
