"""Experiments in JSON: who got a rollout, and what came of it."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from rootward.model.experiment import Experiment
from rootward.ports import Platform

NOW = 1_700_000_000.0
SENT: dict[str, Any] = {
    "id": "fast-cart",
    "service": "cart",
    "began": "2023-11-14T22:00:00Z",
    "outcome_name": "latency_seconds",
    "outcome": [0.2, 0.3, 0.5],
    "flag": [0, 1, 1],
    "taken": [False, False, True],
    "covariates": {"cpu": [0.1, 0.2, 0.3], "size": [1, 2, 3]},
    "clusters": ["cart-1", "cart-1", "cart-2"],
    "calibration": {"predicted": [1.0, 2.0], "true": [1.5, 2.5]},
}


def _stored(platform: Platform) -> Experiment | None:
    found = platform.experiments.last(NOW - 3600, NOW, "default")
    return found.experiment if found else None


def test_an_experiment_is_stored_with_all_that_it_tells(
    client: TestClient, fake_platform: Platform
):
    answer = client.post("/api/v1/experiments", json=SENT)
    assert (answer.status_code, answer.json()) == (200, {"id": "fast-cart", "units": 3})
    stored = _stored(fake_platform)
    assert stored is not None
    assert (stored.name, stored.outcome_name) == ("fast-cart", "latency_seconds")
    assert stored.instrument.tolist() == [0.0, 1.0, 1.0]
    assert stored.exposure.tolist() == [0.0, 0.0, 1.0]
    assert stored.covariates.tolist() == [[0.1, 1.0], [0.2, 2.0], [0.3, 3.0]]
    assert stored.covariate_names == ("cpu", "size")
    assert stored.clusters == ("cart-1", "cart-1", "cart-2")
    assert stored.calibration is not None


def test_a_rollout_that_all_took_who_were_meant_to_needs_three_columns(
    client: TestClient, fake_platform: Platform
):
    bare = {k: SENT[k] for k in ("id", "service", "began", "outcome_name", "outcome", "flag")}
    assert client.post("/api/v1/experiments", json=bare).status_code == 200
    stored = _stored(fake_platform)
    assert stored is not None
    assert stored.exposure.tolist() == stored.instrument.tolist()
    assert stored.covariates.shape == (3, 0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"outcome": [0.2, 0.3]}, "differ in length"),
        ({"covariates": {"cpu": [0.1]}}, "differ in length"),
        ({"clusters": ["a"]}, "cluster for every unit or for none"),
        ({"flag": [0, 1, 2]}, "/flag/2"),
        ({"outcome": [0.2, None, 0.5]}, "/outcome/1"),
        ({"began": "yesterday"}, "RFC 3339"),
        ({"began": "2023-11-15T22:00:00Z"}, "ahead of our clock"),
        ({"id": ""}, "/id"),
    ],
)
def test_what_is_no_experiment_is_refused_with_the_place(
    client: TestClient, fake_platform: Platform, wrong: dict[str, Any], told: str
):
    answer = client.post("/api/v1/experiments", json=SENT | wrong)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]
    assert _stored(fake_platform) is None


def test_what_is_not_json_or_not_finite_is_refused(client: TestClient):
    headers = {"Content-Type": "application/json"}
    torn = client.post("/api/v1/experiments", content=b'{"id"', headers=headers)
    assert torn.status_code == 400
    endless = b'{"id":"x","service":"c","began":"2023-11-14T22:00:00Z","outcome_name":"y",'
    endless += b'"outcome":[1e999],"flag":[1]}'
    assert client.post("/api/v1/experiments", content=endless, headers=headers).status_code == 400
    assert client.post("/api/v1/experiments", content=b"x").status_code == 415
