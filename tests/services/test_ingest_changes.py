"""Change events as CloudEvents: structured, binary and in batches."""

import base64
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.ports import Platform
from rootward.testing.fakes import fake_platform
from rootward_ingest.app import create_app
from rootward_ingest.changes import change_of
from rootward_ingest.cloud_events import CloudEvent
from rootward_ingest.intake import Limits

NOW = 1_700_000_000.0
STRUCTURED = {"Content-Type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
JSON = {"Content-Type": "application/json"}
DATA = {"service": "cart", "version": "v2.3.1", "author": "kim", "url": "https://ci/4711"}


def event(**more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "4711",
        "source": "/ci/shop",
        "type": "com.example.deploy.finished",
        "time": "2023-11-14T22:13:00Z",
        "datacontenttype": "application/json",
        "data": DATA,
    } | more


def only(platform: Platform) -> ChangeEvent:
    (stored,) = platform.change_events.page().items
    return stored


def test_a_deploy_in_structured_mode_is_stored(client: TestClient, fake_platform: Platform):
    answer = client.post("/api/v1/changes", content=json.dumps(event()), headers=STRUCTURED)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "new": 1})
    stored = only(fake_platform)
    assert (stored.kind, stored.service, stored.at_unix) == (ChangeKind.DEPLOY, "cart", NOW - 20)
    assert (stored.title, stored.author) == ("deploy cart v2.3.1", "kim")
    assert dict(stored.details) == {"version": "v2.3.1"}


@pytest.mark.parametrize("named", [["cart-1", " cart-2 ", ""], "cart-1,cart-2"])
def test_the_instances_that_got_a_change_are_kept(
    named, client: TestClient, fake_platform: Platform
):
    sent = event(data=DATA | {"instances": named})
    client.post("/api/v1/changes", content=json.dumps(sent), headers=STRUCTURED)
    assert dict(only(fake_platform).details)["instances"] == "cart-1,cart-2"


def test_binary_mode_carries_the_attributes_in_headers(client: TestClient, fake_platform: Platform):
    headers = JSON | {
        "ce-specversion": "1.0",
        "ce-id": "4711",
        "ce-source": "/ci/shop",
        "ce-type": "com.example.config.changed",
        "ce-subject": "namespaces/shop/caf%C3%A9",
        "ce-time": "2023-11-14T23:13:00.5+01:00",
    }
    answer = client.post("/api/v1/changes", content=b'{"title": "new flags"}', headers=headers)
    assert answer.status_code == 200
    stored = only(fake_platform)
    assert (stored.kind, stored.service, stored.title) == (ChangeKind.CONFIG, "café", "new flags")
    assert stored.at_unix == NOW - 19.5


def test_a_batch_is_taken_as_a_whole_and_each_event_once(
    client: TestClient, fake_platform: Platform
):
    batch = [event(id=str(k)) for k in range(3)]
    content = json.dumps([*batch, batch[0]])
    first = client.post("/api/v1/changes", content=content, headers=BATCH)
    second = client.post("/api/v1/changes", content=content, headers=BATCH)
    assert (first.json(), second.json()) == (
        {"accepted": 4, "new": 3},
        {"accepted": 4, "new": 0},
    )
    wrong = json.dumps([event(id="9"), event(id="10", source="")])
    answer = client.post("/api/v1/changes", content=wrong, headers=BATCH)
    assert answer.status_code == 400
    assert "/1/source" in answer.json()["detail"]
    assert len(fake_platform.change_events.page().items) == 3


def test_plain_json_that_is_an_event_is_taken(client: TestClient, fake_platform: Platform):
    assert client.post("/api/v1/changes", json=event(time=None)).status_code == 200
    assert only(fake_platform).at_unix == NOW


def test_an_empty_batch_is_taken(client: TestClient):
    assert client.post("/api/v1/changes", content=b"[]", headers=BATCH).json()["accepted"] == 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("dev.cdevents.service.deployed.0.2.0", ChangeKind.DEPLOY),
        ("dev.cdevents.service.rolledback.0.2.0", ChangeKind.DEPLOY),
        ("dev.cdevents.environment.modified.0.2.0", ChangeKind.CONFIG),
        ("io.argoproj.rollout.updated", ChangeKind.DEPLOY),
        ("com.example.featureflag.switched", ChangeKind.CONFIG),
        ("autoscaling.HorizontalPodAutoscaler", ChangeKind.SCALING),
        ("com.example.database.vacuum", ChangeKind.OTHER),
    ],
)
def test_the_kind_follows_the_words_in_the_type(kind: str, expected: ChangeKind):
    assert change_of(CloudEvent(**event(type=kind)), "default", NOW).kind is expected


def test_the_data_may_name_the_kind(client: TestClient, fake_platform: Platform):
    client.post("/api/v1/changes", json=event(type="x", data=DATA | {"kind": "scaling"}))
    assert only(fake_platform).kind is ChangeKind.SCALING


def test_a_cdevent_names_its_service_and_artifact():
    data = {
        "context": {"version": "0.4.1", "id": "1", "type": "dev.cdevents.service.deployed.0.2.0"},
        "subject": {
            "id": "/shop/cart",
            "type": "service",
            "content": {
                "environment": {"id": "prod", "source": "/k8s"},
                "artifactId": "pkg:oci/cart@sha256:0f3c",
            },
        },
    }
    plain = event(type="dev.cdevents.service.deployed.0.2.0", subject="/shop/cart", data=data)
    found = change_of(CloudEvent(**plain), "default", NOW)
    assert (found.service, found.kind) == ("cart", ChangeKind.DEPLOY)
    assert dict(found.details) == {"artifactId": "pkg:oci/cart@sha256:0f3c", "id": "prod"}


def test_data_in_base_64_is_looked_into():
    packed = base64.b64encode(json.dumps(DATA).encode()).decode()
    plain = {k: v for k, v in event(data_base64=packed).items() if k != "data"}
    assert change_of(CloudEvent(**plain), "default", NOW).service == "cart"


def test_an_event_ahead_of_our_clock_is_refused(client: TestClient, fake_platform: Platform):
    answer = client.post("/api/v1/changes", json=event(time="2023-11-15T22:13:20Z"))
    assert answer.status_code == 400
    assert "ahead of our clock" in answer.json()["detail"]
    assert fake_platform.change_events.page().items == ()


@pytest.mark.parametrize(
    ("content", "headers", "told"),
    [
        (b"", STRUCTURED, "CloudEvent"),
        (b"[" * 100_000, STRUCTURED, "CloudEvent"),
        (b'{"title": "x"}', JSON, "/specversion"),
        (b"{", JSON | {"ce-id": "1"}, "not JSON"),
        (b"{}", JSON | {"ce-id": "1", "ce-specversion": "0.3"}, "/specversion"),
        (json.dumps(event(time="now")).encode(), STRUCTURED, "/time"),
    ],
)
def test_what_is_no_event_is_400_with_the_place(
    content: bytes, headers: dict[str, str], told: str, client: TestClient
):
    answer = client.post("/api/v1/changes", content=content, headers=headers)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_another_kind_of_body_is_415(client: TestClient):
    answer = client.post("/api/v1/changes", content=b"", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


texts = st.text(max_size=5)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["service", "subject", "content", "id"]), inner)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*event(), "subject", "data_base64"]), texts | values),
    st.sampled_from([STRUCTURED, BATCH, JSON]),
    st.booleans(),
)
def test_whatever_is_sent_is_taken_or_refused_with_a_reason(
    more: dict[str, object], headers: dict[str, str], batched: bool
):
    platform = fake_platform()
    client = TestClient(create_app(platform, Limits()))
    content = json.dumps([event(**more)] if batched else event(**more))
    answer = client.post("/api/v1/changes", content=content, headers=headers)
    assert answer.status_code in (200, 400)
    assert len(platform.change_events.page().items) == (answer.status_code == 200)


def test_text_without_end_is_cut_and_text_of_no_database_is_mended():
    found = change_of(CloudEvent(**event(data={"title": "a\0" + "x" * 9000})), "default", NOW)
    assert len(found.title) == 200
    assert "\0" not in found.title
