"""From a stored incident to a bundle that makes the same ranking; the client and its commands."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from rootward.bundle.package import bundled, opened
from rootward.client import Client, Refused
from rootward.errors import Unavailable
from rootward.model.incident import Incident
from rootward.model.placement import Backend, PlacedPod, Placement
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward.testing.incidents import planted_incident
from rootward_cli import main
from rootward_cli.up import listening_on, serving
from rootward_dashboard.app import create_app
from rootward_worker.jobs import diagnose
from rootward_worker.options import WorkerOptions
from tests.services import made_up_incident as shop

OPTIONS = WorkerOptions(window_rows=360, discovery="ridge_granger", seed=3)
END = 1_700_000_010.0 - 1_700_000_010.0 % 15


STOCK = Placement(
    "shop",
    END,
    (PlacedPod("stock-1", "stock", "n1", ()),),
    (Backend("stock-svc", ("10.96.0.5",), ("stock-1",)),),
)


@pytest.fixture
def diagnosed(platform: Platform, clock: ManualClock) -> Incident:
    """A planted incident of a chain, stored and diagnosed by the worker.

    Web names stock by an address that only the cluster can tell of.
    """
    window = planted_incident("chain", seed=1).window
    web = Series.of("requests_per_second", "web")
    called = Series.of("requests_per_second", "web", upstream_host="10.96.0.5:8080")
    series = tuple(called if one == web else one for one in window.series)
    assert called in series
    platform.placements.put([STOCK])
    times = END - 15.0 * np.arange(len(window.times) - 1, -1, -1)
    rows, columns = np.nonzero(np.isfinite(window.values))
    values = window.values[rows, columns]
    platform.samples.append(
        SampleBatch("default", series, columns.astype(np.int32), times[rows], values)
    )
    clock.set(END)
    onset = float(times[window.onset or 0])
    symptom = planted_incident("chain", seed=1).symptom or 0
    incident = Incident(
        "one", "default", onset, onset, series[symptom], (), "web is slow",
        last_change_unix=END,
    )  # fmt: skip
    platform.incidents.open(incident)
    diagnose(platform, OPTIONS, incident_id="one")
    return platform.incidents.get("one")


@pytest.fixture
def bundle(platform: Platform, diagnosed: Incident, tmp_path: Path) -> Path:
    answer = TestClient(create_app(platform)).get("/api/v1/incidents/INC-1/bundle")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="INC-1.zip"'
    path = tmp_path / "INC-1.zip"
    path.write_bytes(answer.content)
    return path


def test_a_bundle_makes_the_same_ranking_bit_for_bit(bundle: Path):
    done = CliRunner().invoke(main.app, ["replay-diagnosis", str(bundle)])
    assert done.exit_code == 0, done.output
    assert "bit for bit" in done.output
    assert opened(bundle.read_bytes()).diagnosis.candidates[0].service in done.output


def test_the_calls_that_the_cluster_made_known_are_in_the_bundle(bundle: Path):
    assert opened(bundle.read_bytes()).asked.calls == (("web", "stock"),)


def test_another_ranking_is_told_and_fails(bundle: Path, tmp_path: Path):
    kept = opened(bundle.read_bytes())
    first, second, *rest = kept.diagnosis.candidates
    other = replace(
        kept.diagnosis,
        candidates=(replace(second, rank=1), replace(first, rank=2), *rest),
    )
    path = tmp_path / "other.zip"
    path.write_bytes(bundled(replace(kept, diagnosis=other)))
    done = CliRunner().invoke(main.app, ["replay-diagnosis", str(path)])
    assert done.exit_code == 1
    assert "Not the same" in done.output


def test_without_rows_there_is_no_bundle(platform: Platform, clock: ManualClock):
    clock.set(shop.NOW)
    shop.fill(platform)
    answer = TestClient(create_app(platform)).get("/api/v1/incidents/INC-1/bundle")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_bundle")


def test_the_report_is_one_file_that_needs_no_server(platform: Platform, clock: ManualClock):
    clock.set(shop.NOW)
    shop.fill(platform)
    answer = TestClient(create_app(platform)).get("/api/v1/incidents/INC-1/report")
    assert answer.headers["content-disposition"] == 'attachment; filename="INC-1.html"'
    assert "<style>" in answer.text
    assert "<link" not in answer.text
    assert "<script" not in answer.text
    assert "orders-db" in answer.text


class TestClientAndCommands:
    @pytest.fixture
    def server(self, platform: Platform, clock: ManualClock) -> Iterator[str]:
        clock.set(shop.NOW)
        shop.fill(platform)
        for number in range(3):
            platform.incidents.open(shop.older(number))
        with (
            listening_on("127.0.0.1", 0) as listening,
            serving(create_app(platform), listening),
        ):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"

    def test_a_program_works_on_incidents(self, server: str):
        with Client(server) as client:
            assert [i["name"] for i in client.incidents(status="open")] == ["INC-1"]
            assert len(list(client.incidents())) == 4
            assert client.acknowledge("INC-1")["acknowledged_by"] == "local"
            assert client.assign("INC-1", "kim")["assignee"] == "kim"
            assert client.comment("INC-1", "on it")["text"] == "on it"
            assert client.merge("INC-1", ["INC-2", "INC-3"])["merged"] == [
                "older-00000",
                "older-00001",
            ]
            assert client.feedback("INC-1", "orders-db", "confirmed")["rank"] == 1
            assert client.tell_outcome("INC-1", "restart", "orders-db", True)["helped"] == 1.0
            assert [one["step"] for one in client.outcomes("INC-2")] == ["restart orders-db"]
            assert client.resolve("INC-1", "done")["status"] == "resolved"
            assert client.reopen("INC-1")["status"] == "open"
            asked = client.explain(shop.ONSET, shop.NOW)
            assert client.diagnosis(asked["id"])["state"] == "queued"
            assert client.status()["open_incidents"] == 1
            assert client.activity("INC-2")[-1]["action"] == "reopened"
            with pytest.raises(Refused) as refused:
                client.incident("INC-99")
        assert (refused.value.status, refused.value.code) == (404, "not_found")

    def test_a_server_that_is_not_there_is_unavailable(self):
        with Client("http://127.0.0.1:9") as client, pytest.raises(Unavailable):
            client.status()

    def test_commands_do_the_same(self, server: str):
        def run(*words: str) -> str:
            done = CliRunner().invoke(
                main.app, ["incidents", *words, "--server", server], env={"COLUMNS": "300"}
            )
            assert done.exit_code == 0, done.output
            return done.output

        assert "INC-1" in run("list")
        assert "INC-4" in run("list", "--status", "", "--service", "cart")
        assert "acknowledged" in run("ack", "INC-1", "INC-2")
        run("comment", "INC-1", "on it")
        run("assign", "INC-1", "kim")
        run("merge", "INC-1", "INC-2", "INC-3")
        assert "it did not help" in run("tell", "INC-1", "drain", "cart", "--not-helped")
        assert "not yet known" in run("tell", "INC-1", "restart", "cart", "--note", "as a try")
        assert [line.split(":")[0] for line in run("outcomes", "INC-1").splitlines()] == [
            "drain the worst instance of cart",
            "restart cart",
        ]
        run("resolve", "INC-1", "--note", "rolled back")
        shown = run("show", "INC-2")
        for words in ("INC-2 was merged into INC-1", "orders-db", "on it", "rolled back"):
            assert words in shown


def test_the_manifest_says_how_it_was_made(bundle: Path):
    with zipfile.ZipFile(bundle) as archive:
        told = json.loads(archive.read("manifest.json"))
    assert told["seed"] == 3
    assert told["configuration"]["discovery"] == "ridge_granger"
    assert {"rootward", "numpy", "scipy", "torch"} <= set(told["versions"])
