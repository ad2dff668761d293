"""What every store of diagnoses by request and of feedback keeps to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.errors import InvalidInput, NotFound
from rootward.model.feedback import Feedback, Verdict
from rootward.model.run import DiagnosisRun, RunState
from rootward.ports import Platform
from tests.contract.test_stores import _diagnosis, _incident


def _run(k: int, **more: object) -> DiagnosisRun:
    plain = DiagnosisRun(f"run{k}", "default", "kim", 10.0 + k, 1.0, 2.0, ("cart",))
    return replace(plain, **more)  # type: ignore[arg-type]


def _word(service: str = "cart", **more: object) -> Feedback:
    plain = Feedback("id0", service, Verdict.CONFIRMED, "kim", 10.0, "it was", 1)
    return replace(plain, **more)  # type: ignore[arg-type]


class TestRuns:
    def test_a_run_comes_back_with_its_steps_and_its_outcome(self, stores: Platform):
        stores.runs.put(_run(0))
        stores.runs.revise("run0", lambda run: run.reached("window", 11.0))
        ready = stores.runs.revise(
            "run0", lambda run: replace(run, state=RunState.READY, diagnosis=_diagnosis())
        )
        assert stores.runs.get("run0") == ready
        assert [step.name for step in ready.steps] == ["window"]
        assert ready.diagnosis == _diagnosis()
        with pytest.raises(NotFound):
            stores.runs.get("run0", "two")

    def test_a_run_that_is_over_stays_as_it_is(self, stores: Platform):
        stores.runs.put(_run(0, state=RunState.CANCELLED))
        stores.runs.revise("run0", lambda run: replace(run, state=RunState.READY))
        assert stores.runs.get("run0").state is RunState.CANCELLED
        with pytest.raises(NotFound):
            stores.runs.revise("run9", lambda run: run)

    def test_each_change_is_told(self, stores: Platform):
        start = stores.events.last_id()
        stores.runs.put(_run(0))
        stores.runs.revise("run0", lambda run: run.reached("graph", 11.0))
        told = [(e.kind, e.facts) for e in stores.events.after(start)]
        assert told == [
            ("diagnosis", {"run": "run0", "state": "queued", "step": None}),
            ("diagnosis", {"run": "run0", "state": "running", "step": "graph"}),
        ]

    def test_pages_go_from_new_to_old_and_old_runs_go(self, stores: Platform):
        for k in range(3):
            stores.runs.put(_run(k))
        first = stores.runs.page(limit=2)
        rest = stores.runs.page(limit=2, cursor=first.next_cursor)
        assert [r.id for r in (*first.items, *rest.items)] == ["run2", "run1", "run0"]
        assert rest.next_cursor is None
        with pytest.raises(InvalidInput):
            stores.runs.page(cursor="x")
        assert stores.runs.expire(11.5) == 2
        assert [r.id for r in stores.runs.page().items] == ["run2"]


class TestFeedback:
    def test_a_later_word_of_the_same_person_replaces_the_earlier(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.feedback.put(_word())
        stores.feedback.put(_word(verdict=Verdict.REJECTED, at_unix=12.0))
        stores.feedback.put(_word(actor="lee", at_unix=11.0))
        assert stores.feedback.of("id0") == (
            _word(actor="lee", at_unix=11.0),
            _word(verdict=Verdict.REJECTED, at_unix=12.0),
        )
        assert stores.feedback.since(11.5) == (_word(verdict=Verdict.REJECTED, at_unix=12.0),)
        assert stores.feedback.of("id0", "two") == ()

    def test_a_word_stands_in_the_log(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.feedback.put(_word())
        line = stores.incidents.log("id0")[-1]
        assert (line.actor, line.action) == ("kim", "feedback")
        assert line.text == "cart: confirmed (it was)"
        with pytest.raises(NotFound):
            stores.feedback.put(_word(incident_id="id9"))
