"""What every store keeps to where people change incidents, and where lists are searched."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from rootward.errors import Conflict, InvalidParameters, NotFound, Outdated
from rootward.model.alert import Alert, AlertStatus
from rootward.model.handling import Activity
from rootward.model.incident import Change, Incident, Severity, Status
from rootward.model.reply import Reply
from rootward.model.series import Series
from rootward.model.summary import IncidentQuery
from rootward.ports import Platform
from rootward.ports.incidents import Deed
from tests.contract.test_stores import _diagnosis, _incident

SHOP = Series.of("cpu_usage", "shop")


def assigned(to: str):
    def act(asked: Sequence[Incident]) -> Sequence[Deed]:
        (one,) = asked
        changed = replace(one, handling=replace(one.handling, assignee=to))
        return [Deed(changed, Activity(one.id, 5.0, "kim", "assigned", to))]

    return act


def absorbed(asked: Sequence[Incident]) -> Sequence[Deed]:
    into, gone = asked
    kept = replace(into, handling=replace(into.handling, absorbed=(gone.id,)))
    left = replace(
        gone, handling=replace(gone.handling, merged_into=into.id), status=Status.RESOLVED
    )
    return [
        Deed(kept, Activity(into.id, 5.0, "kim", "merged", others=(gone.id,))),
        Deed(left, Activity(gone.id, 5.0, "kim", "merged_into", others=(into.id,))),
    ]


class TestHandling:
    def test_what_people_change_is_kept_with_a_new_version_and_a_line(self, stores: Platform):
        stores.incidents.open(_incident(0))
        (done,) = stores.incidents.handle(["INC-1"], assigned("kim"))

        assert done == stores.incidents.get("id0")
        assert (done.handling.assignee, done.handling.version) == ("kim", 2)
        first, line = stores.incidents.log("INC-1")
        assert (first.action, first.actor) == ("opened", "")
        assert (line.action, line.actor, line.text, line.at_unix) == ("assigned", "kim", "kim", 5.0)
        assert line.id > first.id

    def test_the_detector_leaves_alone_what_people_made_of_it(self, stores: Platform):
        read = stores.incidents.open(_incident(0))
        stores.incidents.handle(["id0"], assigned("kim"))
        more = (*read.changes, Change(SHOP, 9.0, 4.0, 1.0, 2.0))
        stores.incidents.update(replace(read, changes=more))

        found = stores.incidents.get("id0")
        assert (found.handling.assignee, found.changes) == ("kim", more)

    def test_an_end_that_people_set_stands_against_an_older_reading(self, stores: Platform):
        read = stores.incidents.open(_incident(0))

        def end(asked: Sequence[Incident]) -> Sequence[Deed]:
            ended = replace(asked[0], status=Status.RESOLVED, resolved_unix=7.0)
            return [Deed(ended, Activity("id0", 7.0, "kim", "resolved"))]

        stores.incidents.handle(["id0"], end)
        stores.incidents.update(replace(read, last_change_unix=8.0))
        assert stores.incidents.get("id0").status is Status.RESOLVED

        now = stores.incidents.get("id0")
        stores.incidents.update(replace(now, status=Status.OPEN, resolved_unix=None))
        again = stores.incidents.get("id0")
        assert again.status is Status.OPEN
        assert again.handling.version == now.handling.version + 1
        assert stores.incidents.log("id0")[-1].action == "reopened"

    def test_a_version_that_was_passed_is_refused_and_nothing_changes(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.handle(["id0"], assigned("kim"), version=1)
        with pytest.raises(Outdated):
            stores.incidents.handle(["id0"], assigned("lee"), version=1)

        assert stores.incidents.get("id0").handling.assignee == "kim"
        with pytest.raises(NotFound):
            stores.incidents.handle(["id9"], assigned("lee"))

    def test_a_deed_may_add_an_incident(self, stores: Platform):
        stores.incidents.open(_incident(0))

        def double(asked: Sequence[Incident]) -> Sequence[Deed]:
            return [Deed(_incident(1), Activity("id1", 5.0, "kim", "split_off"))]

        (made,) = stores.incidents.handle(["id0"], double)
        assert (made.number, stores.incidents.get("INC-2")) == (2, made)

    def test_a_merged_incident_is_answered_for_by_the_other(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.open(_incident(1))
        stores.incidents.handle(["id0", "id1"], absorbed)

        assert stores.incidents.get("INC-2").id == stores.incidents.get("id1").id == "id0"
        assert [i.id for i in stores.incidents.page().items] == ["id0"]
        assert [s.incident.id for s in stores.incidents.search(IncidentQuery()).items] == ["id0"]
        assert [s.incident.id for s in stores.incidents.summaries(["id1", "id0", "x"])] == [
            "id1",
            "id0",
        ]
        actions = [line.action for line in stores.incidents.log("id0")]
        assert sorted(actions) == ["merged", "merged_into", "opened", "opened"]
        stores.incidents.update(_incident(1, title="the detector did not hear of it"))
        assert stores.incidents.get("id1").id == "id0"

    def test_alerts_of_a_merged_incident_are_alerts_of_the_other(self, stores: Platform):
        for k in (0, 1):
            stores.incidents.open(_incident(k))
            alert = Alert("default", f"f{k}", float(k), AlertStatus.FIRING, "cart", ())
            stores.alerts.put([alert])
            stores.alerts.link(alert.key, f"id{k}", opened=True, tenant="default")
        stores.incidents.handle(["id0", "id1"], absorbed)

        assert [a.fingerprint for a in stores.alerts.of("id0")] == ["f0", "f1"]

    def test_each_line_is_told_to_all_who_look_on(self, stores: Platform):
        start = stores.events.last_id()
        stores.incidents.open(_incident(0))
        stores.incidents.handle(["id0"], assigned("kim"))
        stores.incidents.save("id0", _diagnosis())

        told = stores.events.after(start)
        assert [(e.kind, e.incident_id, e.facts["action"]) for e in told] == [
            ("incident", "id0", "opened"),
            ("incident", "id0", "assigned"),
            ("incident", "id0", "diagnosed"),
        ]
        assert [e.id for e in told] == sorted(e.id for e in told)
        assert stores.events.after(told[-1].id) == ()
        assert stores.events.after(start, limit=1) == told[:1]
        assert stores.events.after(start, "two") == ()

    def test_the_newest_events_of_a_kind_are_found_by_their_incident(self, stores: Platform):
        first = ({"service": "cart", "score": 0.5}, {"service": "shop", "score": None})
        for step in ("frame", "onset", "graph"):
            stores.events.tell("diagnosis", "id0", {"step": step, "candidates": first})
        stores.events.tell("analysis", "id0", {"step": "other"})
        stores.events.tell("diagnosis", "id1", {"step": "other"})

        found = stores.events.of_kind("diagnosis", "id0", limit=2)
        assert [event.facts["step"] for event in found] == ["onset", "graph"]
        assert found[0].facts["candidates"] == first
        assert stores.events.of_kind("diagnosis", "id0", "two") == ()


class TestSearch:
    @pytest.fixture(autouse=True)
    def _three(self, stores: Platform):
        stores.incidents.open(_incident(0, severity=Severity.CRITICAL, title="100% of cart"))
        stores.incidents.open(_incident(1, symptom=SHOP, changes=()))
        stores.incidents.open(_incident(2, title="Checkout fails"))
        stores.incidents.update(replace(stores.incidents.get("id2"), status=Status.RESOLVED))
        stores.incidents.handle(["id0"], assigned("Kim"))
        stores.incidents.save("id1", _diagnosis("the pool ran dry"))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            (IncidentQuery(), ["id2", "id1", "id0"]),
            (IncidentQuery(statuses=(Status.OPEN,)), ["id1", "id0"]),
            (IncidentQuery(severities=(Severity.CRITICAL,)), ["id0"]),
            (IncidentQuery(services=("shop",)), ["id1"]),
            (IncidentQuery(services=("shop", "cart")), ["id2", "id1", "id0"]),
            (IncidentQuery(assignees=("Kim",)), ["id0"]),
            (IncidentQuery(assignees=("",), statuses=(Status.OPEN,)), ["id1"]),
            (IncidentQuery(acknowledged=True), []),
            (IncidentQuery(words=("checkout",)), ["id2"]),
            (IncidentQuery(words=("pool", "shop")), ["id1"]),
            (IncidentQuery(words=("inc-1",)), ["id0"]),
            (IncidentQuery(words=("kim",)), ["id0"]),
            (IncidentQuery(words=("100%",)), ["id0"]),
            (IncidentQuery(words=("1_0",)), []),
        ],
    )
    def test_only_what_fits_is_found(
        self, stores: Platform, query: IncidentQuery, found: list[str]
    ):
        page = stores.incidents.search(query)
        assert [one.incident.id for one in page.items] == found

    def test_pages_follow_each_other(self, stores: Platform):
        first = stores.incidents.search(IncidentQuery(), limit=2)
        rest = stores.incidents.search(IncidentQuery(), limit=2, cursor=first.next_cursor)
        found = [one.incident.id for one in (*first.items, *rest.items)]
        assert (found, rest.next_cursor) == (["id2", "id1", "id0"], None)

    def test_a_summary_holds_the_outcome_and_no_changes(self, stores: Platform):
        (one,) = stores.incidents.search(IncidentQuery(services=("shop",))).items
        assert (one.state, one.conclusion, one.first_cause) == ("ready", "the pool ran dry", "cart")
        (other,) = stores.incidents.search(IncidentQuery(assignees=("Kim",))).items
        assert (other.state, other.incident.changes) == ("pending", ())
        assert other.services == ("cart",)

    def test_each_kind_is_counted_without_its_own_filter(self, stores: Platform):
        counted = stores.incidents.facets(IncidentQuery(statuses=(Status.OPEN,)))
        assert dict(counted.statuses) == {"open": 2, "resolved": 1}
        assert dict(counted.severities) == {"critical": 1, "warning": 1}
        assert dict(counted.services) == {"cart": 1, "shop": 1}
        assert dict(counted.assignees) == {"Kim": 1, "": 1}
        assert (counted.acknowledged, counted.total) == (0, 2)
        assert stores.incidents.count(IncidentQuery(statuses=(Status.OPEN,))) == 2
        assert stores.incidents.count(IncidentQuery(words=("nowhere",))) == 0


class TestReplies:
    REPLY = Reply(201, (("etag", '"2"'),), '{"a":1}')

    def test_the_same_request_gets_the_same_answer(self, stores: Platform):
        assert stores.replies.begin("k", "one") is None
        stores.replies.end("k", self.REPLY)
        assert stores.replies.begin("k", "one") == self.REPLY
        assert stores.replies.begin("k", "one", "two") is None

    def test_a_key_is_of_one_request(self, stores: Platform):
        stores.replies.begin("k", "one")
        with pytest.raises(InvalidParameters):
            stores.replies.begin("k", "other")
        with pytest.raises(Conflict):
            stores.replies.begin("k", "one")

    def test_of_many_requests_at_once_one_takes_the_key(self, stores: Platform):
        together = Barrier(6)

        def begin(_: int) -> bool:
            together.wait(timeout=30)
            try:
                return stores.replies.begin("k", "one") is None
            except Conflict:
                return False

        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(begin, range(6))) == 1

    def test_a_key_without_an_answer_is_free_again(self, stores: Platform):
        stores.replies.begin("k", "one")
        stores.replies.end("k", None)
        assert stores.replies.begin("k", "other") is None

    def test_answers_go_after_a_while(self, stores: Platform):
        stores.replies.begin("k", "one")
        stores.replies.end("k", self.REPLY)
        assert stores.replies.expire(1.0) == 0
        assert stores.replies.expire(1e12) == 1
        assert stores.replies.begin("k", "one") is None
