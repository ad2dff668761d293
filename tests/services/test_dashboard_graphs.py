"""Kept graphs and drift in the API, on the list and on the page of an incident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from rootward.client import Client
from rootward.model.graph import CausalGraph, Edge
from rootward.model.graph_version import DriftNotice, GraphVersion, Reason
from rootward.model.series import Series
from rootward.ports import Platform
from rootward_cli import main
from rootward_cli.up import listening_on, serving
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

SERVICE = shop.incident().symptom.service
LATENCY, LOAD = Series.of("latency_seconds", SERVICE), Series.of("requests_rate", SERVICE)
EDGE = Edge(LOAD, LATENCY, 2, 0.4, 1)
FIRST = GraphVersion(
    "default", SERVICE, 1, shop.ONSET - 9000, shop.ONSET - 15_000, shop.ONSET - 9000, 15.0,
    CausalGraph((LATENCY, LOAD), (EDGE,)), (LATENCY, LOAD), Reason.FIRST,
    quiet_from_unix=shop.ONSET - 15_000, held_until_unix=shop.ONSET - 9000,
)  # fmt: skip
NOTICE = DriftNotice(
    SERVICE, shop.ONSET - 4000, "argo", "7", "v2", "After deploy <v2>, latency no longer follows."
)
SECOND = replace(
    FIRST,
    number=2,
    created_unix=shop.ONSET - 3000,
    graph=CausalGraph((LATENCY, LOAD), ()),
    relearnt=(LATENCY,),
    reason=Reason.STRUCTURE,
    lost=(EDGE,),
    notices=(NOTICE,),
)
LATER = replace(SECOND, number=3, created_unix=shop.ONSET + 50, notices=())


@pytest.fixture
def client(filled: Platform) -> TestClient:
    for one in (FIRST, SECOND, LATER):
        filled.graphs.put(one)
    return TestClient(create_app(filled))


def test_the_current_graph_of_a_service_has_edges_and_a_history(client: TestClient):
    (line,) = client.get("/api/v1/graphs").json()["items"]
    assert (line["service"], line["version"]) == (SERVICE, 3)
    assert client.get(f"/api/v1/graphs/{SERVICE}").json()["version"] == 3
    first = client.get(f"/api/v1/graphs/{SERVICE}?version=1").json()
    assert [e["lag_seconds"] for e in first["edges"]] == [30.0]
    assert [one["version"] for one in first["history"]] == [3, 2, 1]
    second = client.get(f"/api/v1/graphs/{SERVICE}?version=2").json()
    assert (second["reason"], second["lost"][0]["cause"]) == ("structure_drifted", LOAD.key)


@pytest.mark.parametrize("path", [f"{SERVICE}?version=9", "nobody"])
def test_a_graph_that_is_not_kept_is_404(path: str, client: TestClient):
    answer = client.get(f"/api/v1/graphs/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_drift_is_listed_and_stands_above_the_incidents(client: TestClient):
    (notice,) = client.get("/api/v1/drift").json()["items"]
    assert (notice["event_id"], notice["version"]) == ("7", 2)
    assert client.get("/api/v1/drift?cursor=x").status_code == 400
    assert client.get("/api/v1/drift?recent=true").json()["items"] == [notice]
    page = client.get("/report").text
    assert "After deploy &lt;v2&gt;, latency no longer follows." in page
    assert "Changed without an incident" in page


def test_notices_that_are_old_stand_in_the_api_and_no_more_beside_the_list(filled: Platform):
    old = replace(NOTICE, at_unix=filled.clock.now() - 8 * 86_400)
    filled.graphs.put(FIRST)
    filled.graphs.put(replace(SECOND, notices=(old,)))
    client = TestClient(create_app(filled))
    assert len(client.get("/api/v1/drift").json()["items"]) == 1
    assert client.get("/api/v1/drift?recent=true").json()["items"] == []
    assert "Changed without an incident" not in client.get("/report").text


def test_a_program_and_commands_read_graphs_and_drift(client: TestClient):
    with listening_on("127.0.0.1", 0) as listening, serving(client.app, listening):
        server = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def run(*words: str) -> str:
            said = ["graphs", *words, "--server", server]
            done = CliRunner().invoke(main.app, said, env={"COLUMNS": "200"})
            assert done.exit_code == 0, done.output
            return done.output

        with Client(server) as program:
            assert [one["version"] for one in program.graphs()] == [3]
            assert [one["event_id"] for one in program.drift()] == ["7"]
            assert program.graph(SERVICE)["version"] == 3
        assert SERVICE in run("list")
        assert f"{LOAD.key} -> {LATENCY.key}  +30 s  0.40" in run("show", SERVICE, "--version", "1")
        second = run("show", SERVICE, "--version", "2")
        assert f"lost {LOAD.key}" in second
        assert "kept: 3 (structure_drifted), 2 (structure_drifted), 1 (first)" in second
        assert NOTICE.text in run("drift")


def test_an_incident_names_the_version_in_force_at_its_onset(client: TestClient):
    assert client.get("/api/v1/incidents/INC-1/diagnosis").json()["graph_version"] == 2
    assert client.get("/api/v1/incidents/INC-1").json()["diagnosis"]["graph_version"] == 2
    assert f"graphs/{SERVICE}?version=2" in client.get("/incidents/INC-1/report").text
