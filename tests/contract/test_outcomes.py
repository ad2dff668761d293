"""What every store of outcomes keeps to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.errors import NotFound
from rootward.model.outcome import Told
from rootward.ports import Platform
from tests.contract.test_stores import _incident

TOLD = Told("id0", "restart", "cart", "latency", "kim", 10.0, 1.0, note="p99 fell at once")


@pytest.fixture
def kept(stores: Platform) -> Platform:
    for k in range(2):
        stores.incidents.open(_incident(k))
    return stores


def test_a_word_comes_back_and_a_later_one_of_the_same_person_replaces_it(kept: Platform):
    kept.outcomes.put(TOLD)
    assert kept.outcomes.of(["id0"]) == (TOLD,)
    corrected = replace(TOLD, helped=0.0, told_unix=12.0, note="")
    kept.outcomes.put(corrected)
    other = replace(TOLD, actor="lee", told_unix=11.0)
    another_step = replace(TOLD, action="drain", told_unix=13.0)
    kept.outcomes.put(other)
    kept.outcomes.put(another_step)
    assert kept.outcomes.of(["id0"]) == (other, corrected, another_step)


def test_a_word_stands_in_the_log_of_its_incident_and_is_told(kept: Platform):
    start = kept.events.last_id()
    kept.outcomes.put(TOLD)
    line = kept.incidents.log("id0")[-1]
    assert (line.actor, line.action, line.at_unix) == ("kim", "outcome", 10.0)
    assert line.text == "restart cart: it helped (p99 fell at once)"
    assert [e.facts["action"] for e in kept.events.after(start)] == ["outcome"]
    with pytest.raises(NotFound):
        kept.outcomes.put(replace(TOLD, incident_id="id9"))


def test_the_newest_of_one_tenant_are_given_the_earliest_first(kept: Platform):
    for k, action in enumerate(("restart", "drain", "roll_back")):
        kept.outcomes.put(
            replace(TOLD, incident_id=f"id{k % 2}", action=action, told_unix=10.0 + k)
        )
    assert [one.action for one in kept.outcomes.newest(limit=2)] == ["drain", "roll_back"]
    assert len(kept.outcomes.of(["id0", "id1"])) == 3
    assert kept.outcomes.newest("two", limit=9) == ()
    assert kept.outcomes.of(["id0"], "two") == ()
    assert kept.outcomes.of([]) == ()


def test_what_was_left_open_is_settled_once_and_in_the_name_of_the_symptom(kept: Platform):
    kept.outcomes.put(replace(TOLD, helped=None, note=""))
    judged = replace(TOLD, helped=1.0, source="sli", note="recovered after 4 min")
    assert kept.outcomes.settle(judged, 900.0)
    assert kept.outcomes.of(["id0"]) == (judged,)
    line = kept.incidents.log("id0")[-1]
    assert (line.actor, line.at_unix) == ("", 900.0)
    assert line.text == "restart cart: it helped (recovered after 4 min)"
    assert not kept.outcomes.settle(replace(judged, helped=0.0), 950.0)


def test_who_spoke_meanwhile_is_not_overruled_by_the_symptom(kept: Platform):
    assert not kept.outcomes.settle(replace(TOLD, source="sli"), 900.0)
    for later in (replace(TOLD, helped=0.0), replace(TOLD, helped=None, told_unix=11.0)):
        kept.outcomes.put(replace(TOLD, helped=None))
        kept.outcomes.put(later)
        assert not kept.outcomes.settle(replace(TOLD, source="sli"), 900.0)
        assert kept.outcomes.of(["id0"]) == (later,)
