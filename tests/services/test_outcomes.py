"""What came of checks and remedies: told over the API, judged by the symptom, learnt from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from rootward.methods.base import Need
from rootward.model.incident import Incident, Status
from rootward.model.outcome import JUDGED_SECONDS, RECOVERS_SECONDS, Outcome, Told, outcomes_of
from rootward.model.series import Sample, SampleBatch
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward_dashboard.app import create_app
from rootward_worker import jobs, outcomes
from rootward_worker.case import Subject
from rootward_worker.options import WorkerOptions
from tests.services import made_up_incident as shop

AT = "/api/v1/incidents/INC-1"
OPTIONS = WorkerOptions(step_seconds=15.0, window_rows=240)
STEP = {"action": "roll_back", "service": "orders-db"}


@pytest.fixture
def client(filled: Platform) -> TestClient:
    return TestClient(create_app(filled))


def _submitted(platform: Platform) -> list[str]:
    return [job.name for job in platform.jobs.submitted]


class TestTelling:
    def test_a_word_is_kept_with_who_and_when_and_corrected_by_a_later_one(self, client, filled):
        first = client.post(f"{AT}/outcomes", json=STEP | {"helped": True, "note": "at once"})
        assert first.status_code == 200, first.text
        made = first.json()
        assert made["step"] == "roll back the last change of orders-db"
        assert (made["helped"], made["came_of_it"], made["remedy"]) == (1.0, "it helped", True)
        assert (made["actor"], made["at_unix"], made["source"]) == ("local", shop.NOW, "person")
        client.post(f"{AT}/outcomes", json=STEP | {"helped": False})
        (kept,) = client.get(f"{AT}/outcomes").json()["items"]
        assert (kept["helped"], kept["note"]) == (0.0, "")
        assert client.get(AT).json()["outcomes"] == [kept]
        assert filled.outcomes.newest(limit=9)[0].kind == "saturation"

    def test_it_stands_in_the_log_and_in_the_lane_of_what_people_did(self, client):
        client.post(f"{AT}/outcomes", json=STEP | {"helped": True})
        line = client.get(f"{AT}/activity").json()["items"][-1]
        assert (line["actor"], line["action"]) == ("local", "outcome")
        assert line["text"] == "roll back the last change of orders-db: it helped"
        lanes = client.get(f"{AT}/timeline").json()["items"]
        assert [i["lane"] for i in lanes if i["kind"] == "outcome"] == ["action"]

    def test_it_is_audited_and_done_once_under_its_key(self, client, filled):
        key = {"Idempotency-Key": "one"}
        answers = [
            client.post(f"{AT}/outcomes", json=STEP | {"helped": True}, headers=key)
            for _ in range(2)
        ]
        assert answers[1].headers["idempotency-replayed"] == "true"
        assert answers[0].json() == answers[1].json()
        assert sum(line.action == "outcome" for line in filled.incidents.log("INC-1")) == 1
        audited = client.get("/api/v1/audit").json()["items"]
        assert any("outcome" in entry["action"] for entry in audited)

    @pytest.mark.parametrize(
        ("wrong", "pointer"),
        [({"action": "pray"}, "/action"), ({"helped": "maybe"}, "/helped"), ({"at": 1}, "/at")],
    )
    def test_what_is_no_outcome_is_refused(self, client, wrong, pointer):
        answer = client.post(f"{AT}/outcomes", json=STEP | wrong)
        assert answer.status_code == 422
        assert [e["pointer"] for e in answer.json()["errors"]] == [pointer]

    def test_a_check_is_not_left_to_the_symptom(self, client, filled):
        answer = client.post(f"{AT}/outcomes", json=STEP | {"action": "read_logs"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameters")
        assert filled.outcomes.newest(limit=9) == ()

    def test_after_a_merge_the_old_name_answers_with_what_was_told_of_both(self, client, filled):
        filled.incidents.open(shop.older(1))
        client.post("/api/v1/incidents/INC-2/outcomes", json=STEP | {"helped": False})
        client.post(f"{AT}/merge", json={"incidents": ["INC-2"]})
        filled.clock.set(shop.NOW + 60.0)
        client.post("/api/v1/incidents/INC-2/outcomes", json=STEP | {"action": "restart"})
        for name in ("INC-1", "INC-2"):
            items = client.get(f"/api/v1/incidents/{name}/outcomes").json()["items"]
            assert [one["action"] for one in items] == ["roll_back", "restart"]

    def test_the_best_two_are_suggested_without_what_was_tried(self, client):
        first, second = client.get(AT).json()["suggestions"]
        assert (first["action"], first["service"], first["remedy"]) == (
            "roll_back", "orders-db", True,
        )  # fmt: skip
        assert (first["gain_minutes"], first["low_minutes"], first["high_minutes"]) == (
            6.1, 0.4, 14.2,
        )  # fmt: skip
        assert (second["action"], second["remedy"]) == ("read_logs", False)
        client.post(f"{AT}/outcomes", json=STEP | {"helped": False})
        left = client.get(AT).json()["suggestions"]
        assert [one["action"] for one in left] == ["read_logs", "restart"]

    def test_what_is_known_is_learnt_at_once_and_what_is_not_is_judged_later(self, client, filled):
        client.post(f"{AT}/outcomes", json=STEP | {"helped": True})
        client.post(f"{AT}/outcomes", json=STEP | {"action": "restart"})
        learn, judge = filled.jobs.submitted
        assert (learn.name, learn.payload["method"]) == ("analyse", "next_check")
        assert (judge.name, judge.run_after_unix) == ("judge", shop.NOW + JUDGED_SECONDS)


def _told(**more: object) -> Told:
    plain = Told("id", "restart", "cart", "latency", "kim", shop.NOW)
    return replace(plain, **more)  # type: ignore[arg-type]


def _judged(
    platform: Platform, *, gone_after: float, measured_for: float = JUDGED_SECONDS, **more: object
) -> tuple[Told, Incident]:
    """What a restart is said to have done, of an incident last seen so long after it."""
    incident = platform.incidents.get("INC-1")
    platform.outcomes.put(_told(incident_id=incident.id))
    ended = replace(incident, last_change_unix=shop.NOW + gone_after, **more)  # type: ignore[arg-type]
    platform.incidents.update(ended)
    times = [shop.NOW + 15.0 * k for k in range(1, 1 + int(measured_for // 15.0))]
    samples = [Sample(incident.symptom, time, 1.0) for time in times]
    platform.samples.append(SampleBatch.of(samples))
    assert isinstance(platform.clock, ManualClock)
    platform.clock.set(shop.NOW + JUDGED_SECONDS)
    outcomes.judge(platform, OPTIONS, incident_id=incident.id)
    return platform.outcomes.newest(limit=1)[0], incident


class TestTheSymptomsWord:
    @pytest.mark.parametrize(
        ("gone_after", "helped"), [(RECOVERS_SECONDS, 1.0), (RECOVERS_SECONDS + 15.0, 0.0)]
    )
    def test_a_remedy_helped_if_the_symptom_was_gone_soon_after_it(
        self, filled, gone_after, helped
    ):
        said, incident = _judged(filled, gone_after=gone_after)
        assert (said.helped, said.source, said.actor) == (helped, "sli", "kim")
        line = filled.incidents.log(incident.id)[-1]
        assert (line.actor, line.action) == ("", "outcome")
        assert "back at its baseline within 10 min" in line.text
        assert _submitted(filled)[-1] == "analyse"

    def test_a_remedy_that_came_when_all_was_well_again_gets_no_credit(self, filled):
        said, _ = _judged(filled, gone_after=-60.0)
        assert said.helped is None

    def test_who_resolved_the_incident_by_hand_leaves_the_symptom_without_a_word(self, filled):
        incident = filled.incidents.get("INC-1")
        client = TestClient(create_app(filled))
        client.post(f"/api/v1/incidents/{incident.id}/resolve")
        said, _ = _judged(filled, gone_after=60.0)
        assert said.helped is None

    def test_ended_by_its_age_it_had_not_recovered(self, filled):
        end = {"status": Status.RESOLVED, "resolved_unix": shop.NOW + 60.0}
        said, _ = _judged(filled, gone_after=60.0, **end)
        assert said.helped == 0.0

    def test_silence_is_no_recovery_and_is_asked_again(self, filled):
        said, _ = _judged(filled, gone_after=60.0, measured_for=300.0)
        assert said.helped is None
        assert _submitted(filled)[-1] == "judge"
        filled.clock.set(shop.NOW + outcomes.PATIENCE_SECONDS + 1.0)
        filled.jobs.submitted.clear()
        outcomes.judge(filled, OPTIONS, incident_id=said.incident_id)
        assert filled.jobs.submitted == []

    def test_judge_is_a_job_of_the_workers(self):
        assert jobs.JOBS["judge"] is outcomes.judge


class TestLearning:
    def test_methods_that_act_upon_candidates_get_what_was_told_to_their_tenant(self, filled):
        incident = filled.incidents.get("INC-1")
        filled.incidents.open(replace(shop.older(1), tenant="other"))
        filled.outcomes.put(_told(incident_id=incident.id, helped=1.0))
        filled.outcomes.put(_told(incident_id="older-00001", helped=1.0), "other")
        subject = Subject(filled, OPTIONS, incident)
        samples = [
            Sample(s, shop.NOW - 15.0 * k, 1.0 + k % 3) for s in shop.EVERY for k in range(200)
        ]
        filled.samples.append(SampleBatch.of(samples))
        (found,) = subject.case({Need.CANDIDATES}).outcomes
        assert (found.incident_id, found.helped) == (incident.id, 1.0)
        assert subject.case(()).outcomes == ()

    def test_one_step_told_by_many_is_one_trial_and_people_outweigh_the_symptom(self):
        words = (
            _told(helped=1.0, actor="a"),
            _told(helped=0.0, actor="b", told_unix=shop.NOW + 9.0),
            _told(helped=1.0, actor="c", source="sli"),
            _told(helped=None, actor="d"),
        )
        assert outcomes_of(words) == (
            Outcome("id", "restart", "cart", "latency", 0.5, shop.NOW + 9.0, "person"),
        )
        assert outcomes_of(words[2:])[0].source == "sli"
