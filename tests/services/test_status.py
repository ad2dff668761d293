"""What the status says: what comes in, what waits, what every process counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from rootward.model.tally import Tally
from rootward.model.tenant import DEFAULT_TENANT
from rootward.ports import Platform
from rootward_dashboard.app import create_app


def test_the_status_says_what_comes_in_and_what_waits(filled: Platform):
    client = TestClient(create_app(filled))
    filled.jobs.submit("diagnose", incident_id="x")
    answer = client.get("/api/v1/status").json()
    assert answer["series"] == 12
    assert answer["last_sample_age_seconds"] == pytest.approx(4.0)
    assert (answer["bus_backlog"], answer["jobs_backlog"]) == (0, 1)
    assert answer["open_incidents"] == 1
    assert answer["checks"] == [
        {"name": "samples", "ok": True, "reason": ""},
        {"name": "incidents", "ok": True, "reason": ""},
    ]


def test_the_status_sums_what_every_process_counted(filled: Platform):
    now = filled.clock.now()
    first = Tally("ingest@a:1", "ingest", "0.1.0", now - 500, now - 5, received=900)
    first = replace(first, per_second=40.0, rejected={"too_old": 3}, dead_letters=1)
    gone = replace(first, process="ingest@b:1", told_unix=now - 500, received=50, ended=True)
    dead = replace(first, process="ingest@c:1", told_unix=now - 500, received=7)
    filled.tallies.put({DEFAULT_TENANT: first})
    filled.tallies.put({DEFAULT_TENANT: replace(gone, rejected={"no_name": 2})})
    filled.tallies.put({DEFAULT_TENANT: dead, "another": replace(dead, received=10**6)})
    answer = TestClient(create_app(filled)).get("/api/v1/status").json()
    assert (answer["received"], answer["received_per_second"]) == (957, 40.0)
    assert answer["rejected"] == [
        {"reason": "no_name", "samples": 2},
        {"reason": "too_old", "samples": 6},
    ]
    assert [(one["name"], one["state"]) for one in answer["processes"]] == [
        ("ingest@a:1", "here"),
        ("ingest@b:1", "ended"),
        ("ingest@c:1", "silent"),
    ]
    assert (answer["takes_in"], answer["dead_letters"]) == (True, 3)


def test_a_process_that_died_is_replaced_by_a_later_one_of_its_part_and_no_other(
    filled: Platform,
):
    now = filled.clock.now()
    dead = Tally("ingest@a:1", "ingest", "0.1.0", now - 900, now - 500)
    worker = Tally("work@a:2", "work", "0.1.0", now - 400, now)
    client = TestClient(create_app(filled))

    def state() -> str:
        return client.get("/api/v1/status").json()["processes"][0]["state"]

    filled.tallies.put({DEFAULT_TENANT: dead})
    filled.tallies.put({DEFAULT_TENANT: worker})
    assert state() == "silent"
    filled.tallies.put({DEFAULT_TENANT: replace(worker, process="ingest@b:3", part="ingest")})
    assert state() == "replaced"


def test_the_status_says_that_no_process_takes_samples_in(filled: Platform):
    now = filled.clock.now()
    filled.tallies.put({DEFAULT_TENANT: Tally("work@a:1", "work", "0.1.0", now, now)})
    answer = TestClient(create_app(filled)).get("/api/v1/status").json()
    assert (answer["takes_in"], answer["received"]) == (False, 0)
