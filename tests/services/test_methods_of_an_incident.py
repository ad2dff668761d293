"""What a worker does with the methods: which it asks, which cannot apply, where a run stands."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from rootward.errors import InvalidConfiguration
from rootward.methods import registry
from rootward.methods.base import About, Cost, Family, Method, Need, Trigger
from rootward.model.case import Case
from rootward.model.experiment import Recorded
from rootward.model.graph import CausalGraph
from rootward.model.incident import Band, Change, Diagnosis, Incident, Severity, Status
from rootward.model.result import Analysis, Caveat, CaveatCode, Result
from rootward.model.series import Sample, SampleBatch
from rootward.ports import Platform
from rootward.testing import cases, equipment
from rootward_worker import jobs, runbooks, running
from rootward_worker.catalogue import entries
from rootward_worker.options import WorkerOptions

SHOP = cases.shop(seed=1, rows=120)
WINDOW = SHOP.window
OPTIONS = WorkerOptions(step_seconds=WINDOW.step_seconds, window_rows=120, seed=5)
SYMPTOM = WINDOW.series[SHOP.symptom]


def _about(name: str, **more: object) -> About:
    return About(name, Family.CHANGE, "Is it so?", "Nobody 2000", **more)


@dataclass(frozen=True, kw_only=True)
class Watching(Method):
    """Says what it was given, half sure."""

    rounds: int = 3
    """How often it asks whether to go on."""

    about = _about(
        "watching",
        needs=frozenset({Need.CHANGES, Need.TEXT, Need.DOCUMENTS}),
        cost=Cost.SECONDS,
    )

    def run(self, case: Case) -> Result:
        asked = [case.go_on(k / self.rounds) for k in range(self.rounds)]
        names = [d.name for d in case.documents]
        caveat = Caveat(CaveatCode.FEW_EXAMPLES, "There is little to go by.")
        answer = f"{len(case.changes)} changes, {names}, {all(asked)}, {case.text}"
        return Result(answer, status="weak", caveats=(caveat,))


@dataclass(frozen=True, kw_only=True)
class Unasked(Method):
    """Answers at once."""

    about = _about("unasked", cost=Cost.INSTANT, trigger=Trigger.INCIDENT)

    def run(self, case: Case) -> Result:
        return Result("Yes.")


@dataclass(frozen=True, kw_only=True)
class Trial(Unasked):
    """Wants an experiment."""

    about = replace(Unasked.about, name="trial", needs=frozenset({Need.EXPERIMENT}))


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Unasked):
    """Wants a library that nobody has."""

    about = replace(Unasked.about, name="elsewhere", library="no_such_library")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four methods and a plug-in that does not load, instead of the real ones."""
    kinds = {k.about.name: k for k in (Watching, Unasked, Trial, Elsewhere)}
    found = registry.Registry(kinds, {"broken": "ImportError: no module named broken"})
    monkeypatch.setattr(registry, "load", lambda: found)


def _incident(name: str, row: int, number_of_changes: int) -> Incident:
    onset = float(WINDOW.times[row])
    change = Change(SYMPTOM, onset, 9.0, 0.05, 0.5)
    return Incident(
        name, "default", onset, onset, SYMPTOM, (change,) * number_of_changes,
        f"{SYMPTOM.service} is slow", Severity.WARNING, Status.OPEN, onset,
    )  # fmt: skip


def _diagnosis(conclusion: str) -> Diagnosis:
    end = float(WINDOW.times[-1])
    return Diagnosis(
        conclusion, (), CausalGraph(WINDOW.series, ()), 0.0, Band.NONE, True, None, SYMPTOM,
        "none", 0, end - 600, end, WINDOW.step_seconds, 120, len(WINDOW.series),
    )  # fmt: skip


@pytest.fixture
def subject(fake_platform: Platform, known: None) -> Incident:
    """An incident in the shop with a diagnosis, and one before it."""
    rows = zip(WINDOW.times, WINDOW.values, strict=True)
    samples = [
        Sample(s, float(t) - 1.0, float(v))
        for t, row in rows
        for s, v in zip(WINDOW.series, row, strict=True)
    ]
    fake_platform.samples.append(SampleBatch.of(samples))
    earlier = fake_platform.incidents.open(_incident("earlier", 20, 1))
    fake_platform.incidents.save(earlier.id, _diagnosis("It was the disk."))
    opened = fake_platform.incidents.open(_incident("now", 100, 2))
    fake_platform.incidents.save(opened.id, _diagnosis("No confident cause."))
    return opened


def _stored(platform: Platform, incident: Incident) -> dict[str, Analysis]:
    return {a.method: a for a in platform.results.of(incident.id)}


def test_after_a_diagnosis_every_method_is_asked_or_says_why_not(fake_platform, subject):
    jobs._ask_the_methods(fake_platform, OPTIONS, subject)

    stored = _stored(fake_platform, subject)
    assert {name: a.status for name, a in stored.items()} == {
        "trial": "not_applicable", "elsewhere": "not_applicable",
    }  # fmt: skip
    assert "experiment" in stored["trial"].reason
    assert "no_such_library" in stored["elsewhere"].reason
    assert [job.payload["method"] for job in fake_platform.jobs.waiting] == ["unasked"]


@pytest.mark.parametrize(("hours", "status"), [(1, "ok"), (25, "not_applicable")])
def test_an_experiment_of_the_day_before_serves_the_methods_that_want_one(
    fake_platform, subject, hours, status
):
    began = subject.onset_unix - 3600.0 * hours
    trial = equipment.experiment(seed=1, effect=1.0)
    fake_platform.experiments.put(Recorded("default", "new-path", "cart", began, trial))

    jobs.handlers(fake_platform, OPTIONS)["analyse"](incident_id=subject.id, method="trial")

    assert _stored(fake_platform, subject)["trial"].status == status


def test_an_analysis_says_with_what_it_was_made(fake_platform, subject):
    analyse = jobs.handlers(fake_platform, OPTIONS)["analyse"]
    analyse(incident_id=subject.id, method="watching", params={"rounds": 4})

    found = _stored(fake_platform, subject)["watching"]
    assert found.status == "weak"
    assert found.result.answer.startswith("2 changes, ['INC-1'], True, frontend is slow\nNo conf")
    assert (found.seed, found.settings) == (5, '{"rounds":4}')
    assert {"rootward", "numpy"} <= set(found.versions)
    assert found.seconds >= 0
    assert found.cpu_seconds >= 0


def test_what_an_analysis_lacks_is_said_and_no_failure(fake_platform, subject):
    analyse = jobs.handlers(fake_platform, OPTIONS)["analyse"]
    for name in ("trial", "elsewhere"):
        analyse(incident_id=subject.id, method=name)

    stored = _stored(fake_platform, subject)
    assert {a.status for a in stored.values()} == {"not_applicable"}


def test_progress_is_stored_while_it_runs(fake_platform, subject, monkeypatch):
    monkeypatch.setattr(running, "PROGRESS_EVERY_SECONDS", 0.0)
    told = []
    save = fake_platform.results.save
    monkeypatch.setattr(
        fake_platform.results, "save", lambda a, *rest: (told.append(a), save(a, *rest))
    )
    jobs.handlers(fake_platform, OPTIONS)["analyse"](incident_id=subject.id, method="watching")

    assert [a.status for a in told] == ["running"] * 4 + ["weak"]
    assert [a.progress for a in told[1:4]] == [0.0, 1 / 3, 2 / 3]


def test_a_method_is_told_when_its_time_is_up(fake_platform, subject, monkeypatch):
    monkeypatch.setattr(jobs, "DEADLINE_SECONDS", dict.fromkeys(Cost, 0.0))
    jobs.handlers(fake_platform, OPTIONS)["analyse"](incident_id=subject.id, method="watching")

    assert "False" in _stored(fake_platform, subject)["watching"].result.answer


def test_the_catalogue_hides_nothing(known):
    unavailable = {one.name: one.unavailable for one in entries()}

    assert sorted(unavailable) == ["broken", "elsewhere", "trial", "unasked", "watching"]
    assert "no_such_library" in unavailable["elsewhere"]
    assert unavailable["broken"].startswith("ImportError")
    assert unavailable["trial"] == ""


def test_runbooks_are_documents(tmp_path: Path):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "failover.md").write_text("# Fail over\n\nPromote the replica.\n")
    (tmp_path / "plain.md").write_text("Restart it.\n")

    found = runbooks.read(tmp_path)

    assert [(d.name, d.title, d.kind) for d in found] == [
        ("db/failover", "Fail over", "runbook"), ("plain", "plain", "runbook"),
    ]  # fmt: skip
    assert runbooks.read(None) == ()
    with pytest.raises(InvalidConfiguration, match="no folder"):
        runbooks.read(tmp_path / "none")
