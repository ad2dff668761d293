"""Series for plots: budget, extremes, gaps, band; time line, groups, likeness, topology, status."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote

import numpy as np
import pytest
from fastapi.testclient import TestClient

from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.incident import Status
from rootward.model.placement import Backend, PlacedPod, Placement
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform, Storage
from rootward.testing.fakes import ManualClock
from rootward_dashboard import curves
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

AT = "/api/v1/incidents/INC-1"
GAUGE = Series.of("queue_depth", "pay", zone='a"b')
COUNTER = Series.of("requests_total", "pay")
RATE = Series.of("requests_rate", "pay")
STEP = 15.0
ROWS = 9000


@pytest.fixture(scope="module")
def recorded() -> SampleBatch:
    """37 hours: a level of 10 with noise, one spike, a gap of two hours; ten requests a second."""
    rng = np.random.default_rng(4)
    times = shop.NOW - STEP * np.arange(ROWS - 1, -1, -1)
    gauge = 10 + rng.normal(0, 0.5, ROWS)
    gauge[5000], gauge[5001] = 99.0, -7.0
    there = np.ones(ROWS, bool)
    there[2000:2480] = False
    counter = np.cumsum(np.full(ROWS, 150.0))
    return SampleBatch(
        "default",
        (GAUGE, COUNTER),
        np.concatenate([np.zeros(there.sum()), np.ones(ROWS)]).astype(np.int32),
        np.concatenate([times[there], times]),
        np.concatenate([gauge[there], counter]),
    )


@pytest.fixture
def client(platform: Platform, clock: ManualClock, recorded: SampleBatch) -> TestClient:
    clock.set(shop.NOW)
    platform.samples.append(recorded)
    return TestClient(create_app(platform))


def ask(client: TestClient, *series: Series, **more: object) -> dict[str, object]:
    keys = "&".join(f"series={quote(one.key)}" for one in series)
    rest = "&".join(f"{name}={value}" for name, value in more.items())
    answer = client.get(f"/api/v1/series/data?{keys}&{rest}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_long_stretch_is_thinned_and_keeps_its_extremes_and_gaps(client: TestClient):
    start = shop.NOW - ROWS * STEP
    (found,) = ask(client, GAUGE, start=start, end=shop.NOW, points=400)["items"]
    values = found["values"]
    assert 200 <= len(values) <= 404
    assert max(v for v in values if v is not None) == 99.0
    assert min(v for v in values if v is not None) == -7.0
    assert 10 <= values.count(None) <= 30
    times = found["times_unix"]
    assert times == sorted(set(times))
    empty = [t for t, v in zip(times, values, strict=True) if v is None]
    gap = shop.NOW - STEP * (ROWS - 1) + STEP * np.array([2000, 2480])
    assert gap[0] - 60 <= min(empty)
    assert max(empty) <= gap[1]


def test_days_without_a_sample_are_a_gap_and_not_a_line(client: TestClient, platform: Platform):
    before = shop.NOW - 5 * 86_400
    platform.samples.append(SampleBatch.of([Sample(GAUGE, before, 3.0)]))
    (found,) = ask(client, GAUGE, start=before - 70 * 86_400, end=shop.NOW, points=600)["items"]
    measured = [(t, v) for t, v in zip(found["times_unix"], found["values"], strict=True)]
    place = next(k for k, (_, value) in enumerate(measured) if value == 3.0)
    after = next(k for k, (t, v) in enumerate(measured) if t > before and v is not None)
    assert None in [value for _, value in measured[place + 1 : after]]
    assert found["times_unix"] == sorted(found["times_unix"])


def test_a_short_stretch_is_given_row_by_row(client: TestClient):
    found = ask(client, GAUGE, start=shop.NOW - 600, end=shop.NOW)
    assert len(found["items"][0]["values"]) == 40
    assert found["step_seconds"] == STEP
    assert found["items"][0]["series"]["labels"]["zone"] == 'a"b'


def test_the_band_is_where_it_stayed_before_the_onset(client: TestClient):
    (found,) = ask(client, GAUGE, start=shop.NOW - 600, end=shop.NOW, onset=shop.NOW - 300)["items"]
    assert found["band"]["middle"] == pytest.approx(10, abs=0.2)
    assert found["band"]["high"] - found["band"]["low"] == pytest.approx(3.0, rel=0.25)


def test_what_a_diagnosis_makes_of_a_counter_is_shown_too(client: TestClient):
    found = ask(client, RATE, COUNTER, start=shop.NOW - 9000 * STEP + 60, end=shop.NOW, points=50)
    rate, counter = found["items"]
    assert {round(v, 6) for v in rate["values"] if v is not None} == {10.0}
    assert counter["values"] == sorted(counter["values"])


def test_what_is_not_there_is_named(client: TestClient):
    other = Series.of("nothing", "pay")
    found = ask(client, other, start=shop.NOW - 600, end=shop.NOW)
    assert (found["items"], found["missing"]) == ([], [other.key])
    nobody = Series.of("nothing", "nobody")
    assert ask(client, nobody, start=1, end=2)["missing"] == [nobody.key]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("series=x&start=1&end=2", 400),
        ("start=1&end=2", 422),
        ("series=x&start=2&end=1", 422),
        ("series=x&start=now&end=2", 422),
        ("series=x&start=1&end=2&points=1", 422),
        ("series=x&start=1&end=1e300", 422),
    ],
)
def test_a_question_that_is_none_is_refused(client: TestClient, query: str, status: int):
    assert client.get(f"/api/v1/series/data?{query}").status_code == status


def test_thinning_keeps_what_fits():
    times, values = np.arange(5.0), np.array([1.0, np.nan, 3.0, 2.0, 5.0])
    assert curves.thinned(times, values, 5)[1] == (1.0, None, 3.0, 2.0, 5.0)
    assert curves.thinned(times, values, 4)[1] == (1.0, 3.0, 2.0, 5.0)
    assert curves.thinned(times, np.full(5, np.nan), 2)[1] == (None,)


class TestBesideTheDiagnosis:
    @pytest.fixture
    def client(self, platform: Platform, clock: ManualClock) -> TestClient:
        clock.set(shop.NOW)
        opened = shop.fill(platform)
        alert = Alert(
            "default", "f", shop.ONSET + 30, AlertStatus.FIRING, "frontend",
            (("alertname", "Slow"),),
        )  # fmt: skip
        platform.alerts.put([alert])
        platform.alerts.link(alert.key, opened.id, opened=False, tenant="default")
        deploy = ChangeEvent(
            "default", "/ci", "1", shop.ONSET - 100, ChangeKind.DEPLOY, "orders-db", "v2"
        )
        platform.change_events.put([deploy])
        return TestClient(create_app(platform))

    def test_all_that_happened_stands_on_one_axis(self, client: TestClient):
        client.post(f"{AT}/comments", json={"text": "hm"})
        found = client.get(f"{AT}/timeline").json()
        lanes = [i["lane"] for i in found["items"]]
        assert lanes[0] == "change"
        assert {"change", "alert", "change_point", "action", "status"} == set(lanes)
        times = [i["at_unix"] for i in found["items"]]
        assert times == sorted(times)
        first = next(i for i in found["items"] if i["lane"] == "change_point")
        assert (first["service"], first["kind"]) == ("orders-db", "rise")
        assert found["start_unix"] < found["onset_unix"] <= found["end_unix"]

    def test_the_three_groups_name_cause_first_failure_and_impact(self, client: TestClient):
        found = client.get(AT).json()
        groups = found["groups"]
        assert groups["root_cause"]["service"] == "orders-db"
        assert groups["first_failure"]["series"]["service"] == "orders"
        assert [c["series"]["service"] for c in groups["impact"]] == ["checkout", "frontend"]

    def test_who_is_not_to_blame_stands_with_the_reason(self, client: TestClient):
        out = {r["service"]: r["reason"] for r in client.get(AT).json()["ruled_out"]}
        assert "orders-db" not in out
        assert out["orders"] == "departed 15 s after orders-db, which drives it"
        assert out["cart"] == "none of its series left its baseline"

    def test_without_a_confident_cause_none_is_named(self, client: TestClient, platform: Platform):
        platform.incidents.save("INC-1", shop.diagnosis(abstained=True))
        found = client.get(AT).json()
        assert found["groups"]["root_cause"] is None
        assert found["groups"]["first_failure"]["series"]["service"] == "orders"

    def test_an_incident_of_the_same_services_and_symptom_is_alike(
        self, client: TestClient, platform: Platform
    ):
        twin = shop.incident(id="twin", status=Status.OPEN, opened_unix=shop.ONSET - 5000)
        platform.incidents.open(twin)
        platform.incidents.save("twin", shop.diagnosis())
        platform.incidents.open(shop.older(1))
        client.post("/api/v1/incidents/INC-2/resolve", json={"note": "killed the query"})
        (one,) = client.get(f"{AT}/similar").json()["items"]
        assert (one["name"], one["score"], one["same_symptom"]) == ("INC-2", 1.0, True)
        assert one["resolution"] == "killed the query"

    def test_services_are_joined_by_calls_and_by_what_was_learned(
        self, client: TestClient, platform: Platform
    ):
        call = Series.of("calls_total", "cart", peer_service="catalog")
        batch = SampleBatch("default", (call,), np.array([0], np.int32), np.array([shop.NOW]),
                            np.array([1.0]))  # fmt: skip
        platform.samples.append(batch)
        found = client.get("/api/v1/topology").json()
        edges = {(e["source"], e["target"], e["kind"]) for e in found["edges"]}
        assert ("cart", "catalog", "calls") in edges
        assert ("orders-db", "orders", "learned") in edges
        nodes = {n["service"]: n for n in found["services"]}
        assert nodes["cart"]["runs"] is None
        assert nodes["orders-db"]["open_incidents"] == ["INC-1"]
        assert nodes["cart"]["series"] == 2

    def test_where_a_service_runs_is_told_and_names_of_the_cluster_are_understood(
        self, client: TestClient, platform: Platform
    ):
        call = Series.of("calls_total", "cart", server_address="orders-ro.shop")
        batch = SampleBatch("default", (call,), np.array([0], np.int32), np.array([shop.NOW]),
                            np.array([1.0]))  # fmt: skip
        platform.samples.append(batch)
        pods = (PlacedPod("orders-db-0", "orders-db", "n1", ()),)
        behind = (Backend("orders-ro", (), ("orders-db-0",)),)
        platform.placements.put([Placement("shop", shop.NOW, pods, behind)])

        found = client.get("/api/v1/topology").json()
        edges = {(e["source"], e["target"]) for e in found["edges"] if e["kind"] == "calls"}
        assert edges == {("cart", "orders-db")}
        nodes = {n["service"]: n["runs"] for n in found["services"]}
        assert nodes["cart"] is None
        assert nodes["orders-db"] == {
            "workloads": ["shop/orders-db"],
            "pods": 1,
            "nodes": ["n1"],
            "behind": ["shop/orders-ro"],
            "running": [{"namespace": "shop", "name": "orders-db-0", "node": "n1", "series": []}],
            "seen_unix": shop.NOW,
        }

    def test_an_incident_tells_which_pods_run_its_services_and_only_those(
        self, client: TestClient, platform: Platform
    ):
        assert client.get(AT).json()["runs"] == {}
        pods = [PlacedPod(f"orders-db-{k}", "orders-db", f"n{k}", ()) for k in range(2)]
        alien = PlacedPod("billing-0", "billing", "n1", ())
        platform.placements.put([Placement("shop", shop.NOW - 9, (*pods, alien), ())])
        found = client.get(AT).json()["runs"]
        assert list(found) == ["orders-db"]
        assert [(pod["name"], pod["node"]) for pod in found["orders-db"]["running"]] == [
            ("orders-db-0", "n0"),
            ("orders-db-1", "n1"),
        ]
        assert found["orders-db"]["seen_unix"] == shop.NOW - 9

    def test_of_many_pods_fifty_are_named_and_all_are_counted(
        self, client: TestClient, platform: Platform
    ):
        pods = tuple(PlacedPod(f"cart-{k:03}", "cart", "n1", ()) for k in range(60))
        platform.placements.put([Placement("shop", shop.NOW, pods, ())])
        found = client.get(AT).json()["runs"]["cart"]
        assert (found["pods"], len(found["running"])) == (60, 50)

    def test_the_status_says_how_much_room_is_left_and_what_runs(self, client: TestClient):
        found = client.get("/api/v1/status").json()
        assert found["storage"]["kind"] == "sqlite"
        assert found["storage"]["used_bytes"] > 0
        assert found["storage"]["free_bytes"] > 0
        assert {"rootward", "python", "numpy"} <= set(found["versions"])
        assert found["lag_seconds"] == pytest.approx(4.0)
        assert found["step_seconds"] == 15.0

    def test_metrics_say_how_much_room_is_left(self, client: TestClient):
        told = client.get("/metrics").text
        read = dict(re.findall(r'(rootward_storage_\w+){kind="sqlite"} (\S+)', told))
        free, size = (float(read[f"rootward_storage_{n}_bytes"]) for n in ("free", "size"))
        assert 0 < free < size
        assert float(read["rootward_storage_used_bytes"]) > 0


def test_a_platform_without_a_database_has_no_room_to_tell_of(fake_platform: Platform):
    client = TestClient(create_app(fake_platform))
    assert client.get("/api/v1/status").json()["storage"] is None
    assert "rootward_storage_free_bytes{" not in client.get("/metrics").text


def test_a_server_does_not_tell_how_much_room_it_has_left(fake_platform: Platform):
    served = replace(fake_platform, storage=lambda: Storage("postgresql", 5000, None))
    told = TestClient(create_app(served)).get("/metrics").text
    assert 'rootward_storage_used_bytes{kind="postgresql"} 5000.0' in told
    assert "rootward_storage_free_bytes{" not in told
