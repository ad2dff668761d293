import json
from pathlib import Path

import pytest

from rootward.errors import InvalidInput
from rootward.model.graph import CausalGraph
from rootward.model.incident import Band, Candidate, Diagnosis, Incident, Status
from rootward.model.series import Series
from rootward.ports import Platform
from rootward_cli.replay import Fault, faults, held_against

SYMPTOM = Series.of("latency_seconds", "front")


def _incident(platform: Platform, opened: float, resolved: float, *ranked: str) -> Incident:
    incident = platform.incidents.open(
        Incident(str(opened), "default", opened, opened, SYMPTOM, (), "front is slow",
                 status=Status.RESOLVED, resolved_unix=resolved)
    )  # fmt: skip
    candidates = tuple(
        Candidate(k, service, Series.of("cpu", service), 1 / len(ranked))
        for k, service in enumerate(ranked, start=1)
    )
    platform.incidents.save(
        incident.id,
        Diagnosis("x", candidates, CausalGraph((), ()), 0.5, Band.LOW, False, opened, SYMPTOM,
                  "none", 0, 0.0, 1.0, 1.0, 3, 1),
    )  # fmt: skip
    return incident


def test_an_incident_belongs_to_the_fault_it_opened_in(fake_platform: Platform):
    incident = _incident(fake_platform, 1100.0, 1200.0, "user", "cart")
    report = held_against([Fault(1000.0, "cart", "cpu")], fake_platform, 2000.0)
    (catch,) = report.catches
    assert catch.incident is not None
    assert catch.incident.id == incident.id
    assert catch.rank == 2
    assert report.false == ()


def test_an_incident_outside_of_every_fault_is_false(fake_platform: Platform):
    _incident(fake_platform, 500.0, 600.0, "user")
    report = held_against([Fault(1000.0, "cart", "cpu")], fake_platform, 2000.0)
    assert len(report.false) == 1
    assert report.catches[0].incident is None
    assert not report.catches[0].joined


def test_a_fault_within_an_incident_from_before_has_joined_it(fake_platform: Platform):
    _incident(fake_platform, 1100.0, 1500.0, "cart")
    labels = [Fault(1000.0, "cart", "cpu"), Fault(1300.0, "user", "delay")]
    first, second = held_against(labels, fake_platform, 2000.0).catches
    assert first.rank == 1
    assert second.incident is None
    assert second.joined


def test_a_service_that_is_not_among_the_causes_has_no_rank(fake_platform: Platform):
    _incident(fake_platform, 1100.0, 1200.0, "user")
    (catch,) = held_against([Fault(1000.0, "cart", "cpu")], fake_platform, 2000.0).catches
    assert catch.incident is not None
    assert catch.rank is None


def test_faults_are_read_by_time_and_torn_labels_are_refused(tmp_path: Path):
    path = tmp_path / "faults.json"
    assert faults(path) == ()
    listed = [{"inject_time": t, "root_cause_service": "a", "fault_type": "cpu"} for t in (9, 3)]
    path.write_text(json.dumps({"faults": listed}))
    assert [f.inject_unix for f in faults(path)] == [3.0, 9.0]
    path.write_text("{}")
    with pytest.raises(InvalidInput, match="holds no faults"):
        faults(path)
