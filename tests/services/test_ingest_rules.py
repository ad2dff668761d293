"""Rules at work: series that are dropped, replicas of which one is listened to, and the file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cramjam
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from rootward.errors import InvalidConfiguration
from rootward.model.series import Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_ingest import relabel_defaults, rules
from rootward_ingest.app import create_app
from rootward_ingest.intake import Intake, Limits
from rootward_ingest.relabel import Action, Relabelling, Rule
from rootward_ingest.replicas import Pairing, Replicas
from rootward_ingest.rules import Rules
from tests.services.otlp_messages import PROTOBUF, exported, gauge
from tests.unit.wire import Version2, chunk, sample

NOW_MS = 1_700_000_000_000
SNAPPY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
SECOND = SNAPPY | {"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
NO_GO = Rules(Relabelling((Rule(Action.DROP, ("__name__",), "go_.*"),)))
Send = Callable[[TestClient, str, str], int]
"""Client, metric and replica to the status of the answer."""


def client_of(platform: Platform, laid_down: Rules | None = None) -> TestClient:
    intake = Intake(platform, Limits(), rules=laid_down)
    return TestClient(create_app(platform, Limits(), intake=intake))


def ignored(kind: str) -> float:
    return REGISTRY.get_sample_value("rootward_ingest_ignored_total", {"kind": kind}) or 0.0


def labels_of(metric: str, replica: str) -> dict[str, str]:
    plain = {"__name__": metric, "service": "cart"}
    return plain | ({"cluster": "eu", "__replica__": replica} if replica else {})


def first_version(client: TestClient, metric: str, replica: str) -> int:
    encoded = b"".join(
        chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))
        for name, value in sorted(labels_of(metric, replica).items())
    )
    body = chunk(0x0A, encoded + sample(1.0, NOW_MS))
    sent = bytes(cramjam.snappy.compress_raw(body))
    return client.post("/api/v1/write", content=sent, headers=SNAPPY).status_code


def second_version(client: TestClient, metric: str, replica: str) -> int:
    request = Version2().add(labels_of(metric, replica), sample(1.0, NOW_MS))
    sent = bytes(cramjam.snappy.compress_raw(request.encoded()))
    answer = client.post("/api/v1/write", content=sent, headers=SECOND)
    assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "1"
    return answer.status_code


def plain_json(client: TestClient, metric: str, replica: str) -> int:
    labels = labels_of(metric, replica)
    one = {"metric": labels.pop("__name__"), "labels": labels, "time": NOW_MS / 1000, "value": 1}
    return client.post("/api/v1/samples", json={"samples": [one]}).status_code


WAYS = pytest.mark.parametrize(
    ("send", "done"), [(first_version, 204), (second_version, 204), (plain_json, 200)]
)


@WAYS
def test_what_a_rule_drops_is_no_error_and_is_not_stored(
    send: Send, done: int, fake_platform: Platform, bus: FakeBus
):
    client, before = client_of(fake_platform, NO_GO), ignored("dropped_by_rule")
    for _ in range(2):
        assert send(client, "go_threads", "") == done
    assert not bus.published
    assert ignored("dropped_by_rule") == before + 2
    assert send(client, "up", "") == done
    assert bus.published[0].series == (Series.of("up", "cart"),)


def test_a_rule_drops_points_of_opentelemetry_without_a_complaint(
    fake_platform: Platform, bus: FakeBus
):
    client = client_of(fake_platform, NO_GO)
    body = exported(gauge("go.threads"), gauge("queue")).SerializeToString()
    answer = client.post("/v1/metrics", content=body, headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(bus.published[0]) == 1


@WAYS
def test_of_two_replicas_one_is_stored_without_the_label_that_tells_them_apart(
    send: Send, done: int, fake_platform: Platform, bus: FakeBus
):
    client, before = client_of(fake_platform), ignored("deduplicated")
    for _ in range(3):
        assert [send(client, "up", replica) for replica in ("a", "b")] == [done, done]
    assert len(bus.published) == 3
    assert {batch.series for batch in bus.published} == {(Series.of("up", "cart", cluster="eu"),)}
    assert ignored("deduplicated") == before + 3


@WAYS
def test_the_other_replica_takes_over_once_the_elected_one_is_silent(
    send: Send, done: int, fake_platform: Platform, bus: FakeBus, clock: ManualClock
):
    client = client_of(fake_platform)
    for seconds, replica, stored in (
        (0.0, "a", 1),
        (10.0, "b", 1),
        (15.0, "a", 2),
        (29.0, "b", 2),
        (2.0, "b", 3),
        (0.0, "a", 3),
        (20.0, "b", 4),
        (20.0, "a", 4),
        (20.0, "a", 5),
    ):
        clock.advance(seconds)
        assert send(client, "up", replica) == done
        assert len(bus.published) == stored, (replica, clock.now())


def test_pairs_are_elected_by_themselves():
    clock = ManualClock()
    replicas = Replicas(30.0, clock.now)
    assert replicas.hears(("eu", "a"))
    assert replicas.hears(("us", "b"))
    assert not replicas.hears(("eu", "b"))
    assert replicas.elections == 0


def test_a_clock_that_goes_back_elects_nobody():
    clock = ManualClock()
    replicas = Replicas(30.0, clock.now)
    assert replicas.hears(("eu", "a"))
    clock.advance(-3600.0)
    assert not replicas.hears(("eu", "b"))


def test_the_operators_labels_tell_replicas_too():
    member = Pairing().member({"prometheus": "mon/k8s", "prometheus_replica": "prometheus-k8s-0"})
    assert member == ("prometheus=mon/k8s", "prometheus-k8s-0")
    assert Pairing().member({"__replica__": "a"}) is None
    assert Pairing().stripped({"prometheus_replica": "a", "x": "y"}) == {
        "prometheus_replica": "a",
        "x": "y",
    }


FILE = """
[relabel]
defaults = false

[[relabel.rules]]
action = "drop"
source_labels = ["__name__"]
regex = "go_.*"

[[relabel.rules]]
source_labels = ["team", "component"]
regex = "(.+);(.+)"
target_label = "service"
replacement = "$1-$2"

[replicas]
failover_seconds = 10
labels = [["dc", "node"]]

[tenants.large]
max_series = 7
max_samples_per_second = 100.5
"""


def test_the_file_says_rules_replicas_and_limits_of_tenants(tmp_path: Path):
    file = tmp_path / "intake.toml"
    file.write_text(FILE)
    found = rules.read(file)
    assert found.relabelling.apply({"__name__": "go_x"}) is None
    applied = found.relabelling.apply({"__name__": "up", "team": "a", "component": "b"})
    assert applied == {"__name__": "up", "team": "a", "component": "b", "service": "a-b"}
    assert found.pairing == Pairing((("dc", "node"),), 10.0)
    limits = found.limits(Limits(max_labels=9))["large"]
    assert (limits.max_series, limits.max_samples_per_second, limits.max_labels) == (7, 100.5, 9)


def test_own_rules_follow_the_built_in_ones(tmp_path: Path):
    file = tmp_path / "intake.toml"
    file.write_text('[[relabel.rules]]\ntarget_label = "env"\nreplacement = "prod"\n')
    found = rules.read(file).relabelling.rules
    assert found[:-1] == relabel_defaults.DEFAULT.rules
    file.write_text("")
    assert rules.read(file) == Rules()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[relabel", "end of document"),
        ("[relabelling]", "relabelling"),
        ('[[relabel.rules]]\naction = "throw"', "relabel.rules.0.action"),
        ('[[relabel.rules]]\ntarget_label = "x"\nregex = "("', "regex"),
        ("[replicas]\nfailover_seconds = 0", "replicas.failover_seconds"),
        ("[tenants.a]\nmax_body_bytes = 1", "tenants.a.max_body_bytes"),
        (f"[tenants.a]\nmax_series = {math.pi}", "tenants.a.max_series"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, told: str, tmp_path: Path):
    file = tmp_path / "intake.toml"
    file.write_text(text)
    with pytest.raises(InvalidConfiguration, match=told):
        rules.read(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InvalidConfiguration, match=r"no\.toml"):
        rules.read(tmp_path / "no.toml")
