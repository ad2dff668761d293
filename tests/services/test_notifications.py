"""Telling others, against a real receiver: failures, 429, restarts, order, and what is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rootward import bootstrap
from rootward.adapters.notify import targets
from rootward.adapters.notify.messages import signature
from rootward.adapters.notify.notifier import Notifier
from rootward.errors import InvalidConfiguration
from rootward.model.incident import Severity, Status
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing.fakes import ManualClock
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop
from tests.services.receiver import Receiver, receiving

AT = "/api/v1/incidents/INC-1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def configured(tmp_path: Path, text: str, clock: ManualClock) -> Platform:
    file = tmp_path / "notify.toml"
    file.write_text(text, encoding="utf-8")
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'rootward.db'}",
        notify_file=file,
        public_url="https://rca.example.com",
    )
    return bootstrap.build(settings, clock)


@pytest.fixture
def webhook(tmp_path: Path, clock: ManualClock, receiver: Receiver) -> Iterator[Platform]:
    clock.set(shop.NOW)
    text = f'[[target]]\nname = "hook"\nkind = "webhook"\nurl = "{receiver.url}"\nsecret = "s3"\n'
    platform = configured(tmp_path, text, clock)
    yield platform
    platform.close()


def sender(platform: Platform) -> Notifier:
    assert isinstance(platform.notifier, Notifier)
    return platform.notifier


def told(receiver: Receiver) -> list[str]:
    return [one.json["type"] for one in receiver.got]


def test_what_happens_is_told_signed_and_logged(webhook: Platform, receiver: Receiver):
    webhook.incidents.open(shop.incident())
    TestClient(create_app(webhook)).post(f"{AT}/acknowledge")
    assert sender(webhook).send_due() == 2

    assert told(receiver) == ["incident.opened", "incident.acknowledged"]
    first = receiver.got[0]
    key, timestamp = first.headers["webhook-id"], int(first.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] == signature("s3", key, timestamp, first.body)
    assert first.json["data"]["url"] == "https://rca.example.com/incidents/INC-1"
    assert first.json["data"]["severity"] == "critical"
    assert receiver.got[1].json["data"]["actor"] == "local"
    log = webhook.incidents.log("INC-1")
    assert [a.text for a in log if a.action == "notified"] == ["hook", "hook"]
    assert sender(webhook).send_due() == 0


def test_a_signature_is_that_of_the_standard():
    # example of github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_failure_is_tried_again_later_and_in_order(
    webhook: Platform, receiver: Receiver, clock: ManualClock
):
    receiver.then(500)
    receiver.then(503)
    webhook.incidents.open(shop.incident())
    TestClient(create_app(webhook)).post(f"{AT}/acknowledge")
    assert sender(webhook).send_due() == 0
    assert sender(webhook).send_due() == 0
    clock.advance(5.0)
    assert sender(webhook).send_due() == 0
    clock.advance(9.0)
    assert sender(webhook).send_due() == 0
    clock.advance(1.0)
    assert sender(webhook).send_due() == 2

    assert told(receiver) == ["incident.opened"] * 3 + ["incident.acknowledged"]
    assert len({one.headers["webhook-id"] for one in receiver.got[:3]}) == 1


def test_one_incident_does_not_hold_up_another(webhook: Platform, receiver: Receiver):
    receiver.then(500)
    webhook.incidents.open(shop.incident())
    webhook.incidents.open(shop.older(1, Status.OPEN))
    assert sender(webhook).send_due() == 1
    assert [one.json["data"]["name"] for one in receiver.got] == ["INC-1", "INC-2"]


def test_a_receiver_that_asks_to_wait_is_left_alone(
    webhook: Platform, receiver: Receiver, clock: ManualClock
):
    receiver.then(429, Retry_After="120")
    webhook.incidents.open(shop.incident())
    sender(webhook).send_due()
    clock.advance(119.0)
    assert sender(webhook).send_due() == 0
    clock.advance(1.0)
    assert sender(webhook).send_due() == 1
    assert len(receiver.got) == 2


def test_what_is_refused_is_not_sent_again_and_the_log_says_so(
    webhook: Platform, receiver: Receiver
):
    receiver.then(410)
    webhook.incidents.open(shop.incident())
    assert sender(webhook).send_due() == 1
    assert sender(webhook).send_due() == 0
    line = webhook.incidents.log("INC-1")[-1]
    assert (line.action, line.text) == ("notification_failed", "hook: answered 410")


def test_after_a_day_it_is_given_up_on(webhook: Platform, receiver: Receiver, clock: ManualClock):
    webhook.incidents.open(shop.incident())
    clock.advance(86_400.0)
    receiver.then(500)
    assert sender(webhook).send_due() == 1
    assert webhook.incidents.log("INC-1")[-1].action == "notification_failed"


def test_a_restart_sends_what_waits_under_the_same_key(
    tmp_path: Path, clock: ManualClock, webhook: Platform, receiver: Receiver
):
    receiver.then(500)
    webhook.incidents.open(shop.incident())
    sender(webhook).send_due()
    webhook.close()
    clock.advance(5.0)
    again = configured(tmp_path, (tmp_path / "notify.toml").read_text(encoding="utf-8"), clock)
    try:
        assert sender(again).send_due() == 1
        assert sender(again).send_due() == 0
    finally:
        again.close()
    assert len(receiver.got) == 2
    assert len({one.headers["webhook-id"] for one in receiver.got}) == 1


def test_nothing_is_told_of_a_change_that_was_not_kept(webhook: Platform, receiver: Receiver):
    webhook.incidents.open(shop.incident())
    sender(webhook).send_due()
    client = TestClient(create_app(webhook))
    late = client.post(f"{AT}/acknowledge", headers={"If-Match": '"99"'})
    assert late.status_code == 412
    assert sender(webhook).send_due() == 0


def test_the_thread_sends_by_itself_and_one_process_alone_sends(
    tmp_path: Path, clock: ManualClock, webhook: Platform, receiver: Receiver
):
    other = configured(tmp_path, (tmp_path / "notify.toml").read_text(encoding="utf-8"), clock)
    try:
        sender(webhook).start()
        sender(other).start()
        webhook.incidents.open(shop.incident())
        for _ in range(200):
            if receiver.got and webhook.incidents.log("INC-1")[-1].action == "notified":
                break
            threading.Event().wait(0.05)
    finally:
        other.close()
    assert told(receiver) == ["incident.opened"]


def test_pagerduty_is_told_under_one_key_from_trigger_to_resolve(
    tmp_path: Path, clock: ManualClock, receiver: Receiver
):
    clock.set(shop.NOW)
    text = f'[[target]]\nname = "pd"\nkind = "pagerduty"\nurl = "{receiver.url}"\nsecret = "R0"\n'
    platform = configured(tmp_path, text, clock)
    platform.incidents.open(shop.incident())
    client = TestClient(create_app(platform))
    client.post(f"{AT}/acknowledge")
    client.post(f"{AT}/comments", json={"text": "not for PagerDuty"})
    client.post(f"{AT}/resolve")
    sender(platform).send_due()
    platform.close()
    sent = [one.json for one in receiver.got]
    assert [one["event_action"] for one in sent] == ["trigger", "acknowledge", "resolve"]
    assert {one["dedup_key"] for one in sent} == {shop.incident().id}
    assert {one["routing_key"] for one in sent} == {"R0"}
    assert sent[0]["payload"]["severity"] == "critical"
    assert sent[0]["payload"]["source"] == "frontend"
    assert sent[0]["links"][0]["href"].endswith("/incidents/INC-1")


def test_slack_is_told_what_it_wants_to_know(
    tmp_path: Path, clock: ManualClock, receiver: Receiver
):
    clock.set(shop.NOW)
    text = (
        f'[[target]]\nname = "ops"\nkind = "slack"\nurl = "{receiver.url}"\n'
        'severities = ["critical"]\n'
    )
    platform = configured(tmp_path, text, clock)
    platform.incidents.open(shop.incident(title="p99 <1 s & rising"))
    platform.incidents.open(shop.older(1, Status.OPEN))
    platform.incidents.save("INC-1", shop.diagnosis())
    sender(platform).send_due()
    platform.close()
    sent = [one.json for one in receiver.got]
    assert [one["text"].split(":")[0] for one in sent] == ["🔴 INC-1 opened", "🔴 INC-1 diagnosed"]
    assert "&lt;1 s &amp; rising" in sent[0]["blocks"][0]["text"]["text"]
    assert "Lock waits" in sent[1]["blocks"][0]["text"]["text"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[target]]\nkind = 'slack'\n", "no name"),
        ("[[target]]\nname = 'a'\nkind = 'fax'\n", "fax"),
        ("[[target]]\nname = 'a'\nkind = 'slack'\nurl = 'ftp://x'\n", "https"),
        ("[[target]]\nname = 'a'\nkind = 'webhook'\nurl = 'http://x'\n", "secret"),
        ("[[target]]\nname = 'a'\nkind = 'slack'\nurl = 'http://169.254.169.254/x'\n", "local"),
        ("[[target]]\nname = 'a'\nkind = 'slack'\nurl = 'http://x'\nactions = ['x']\n", "x"),
        ("[[target]]\nname = 'a'\nkind = 'slack'\nurl = 'http://x'\nurls = 1\n", "urls"),
        (2 * "[[target]]\nname = 'a'\nkind = 'slack'\nurl = 'http://x'\n", "same name"),
        ("[[target", "NOTIFY_FILE"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, reason: str):
    file = tmp_path / "notify.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidConfiguration, match=reason):
        targets.read(file)


def test_a_secret_is_never_written_down(tmp_path: Path):
    file = tmp_path / "notify.toml"
    file.write_text(
        "[[target]]\nname = 'a'\nkind = 'webhook'\nurl = 'http://x'\nsecret = 'hidden'\n",
        encoding="utf-8",
    )
    (target,) = targets.read(file)
    assert "hidden" not in repr(target)
    assert replace(target, severities=(Severity.INFO,)).secret == "hidden"
