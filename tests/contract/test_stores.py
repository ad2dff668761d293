"""What every store of incidents and results keeps to: SQL on SQLite, and the fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.errors import InvalidInput, NotFound
from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import (
    Band,
    Candidate,
    Change,
    Diagnosis,
    Evidence,
    Excerpt,
    Incident,
    Severity,
    Status,
)
from rootward.model.result import Analysis, Bars, GraphBlock, MethodEntry, Note, Result, Table
from rootward.model.series import Series
from rootward.ports import Platform

START = 1_700_000_000.0
CART = Series.of("latency_p99", "cart", instance="cart-1")
SHOP = Series.of("cpu_usage", "shop")


def _incident(k: int, **more: object) -> Incident:
    change = Change(CART, START + k, 5.5, 1.0, 9.0)
    plain = Incident(
        f"id{k}", "default", START + k, START + k + 5, CART, (change,), f"cart is slow ({k})"
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def _diagnosis(conclusion: str = "cart did it") -> Diagnosis:
    graph = CausalGraph((CART, SHOP), (Edge(CART, SHOP, 2, 0.7, -1, 0.9),))
    evidence = (Evidence("size", "12 deviations above its baseline", 12.0, "deviations"),)
    return Diagnosis(
        conclusion,
        (Candidate(1, "cart", CART, 1.0, evidence, START),),
        graph,
        confidence=0.8,
        band=Band.HIGH,
        abstained=False,
        onset_unix=START,
        symptom=SHOP,
        method="neural_granger",
        seed=3,
        start_unix=START - 100,
        end_unix=START,
        step_seconds=1.0,
        rows=100,
        series_count=2,
        cautions=("only 100 rows",),
        excerpts=(Excerpt(CART, (START, START + 1), (1.0, None), 0.5, 1.5, "ms"),),
        parameters={"lag": 3, "share": 0.5, "fast": True, "kind": "mlp"},
    )


class TestIncidents:
    def test_an_incident_comes_back_as_it_was_and_numbered(self, stores: Platform):
        opened = stores.incidents.open(_incident(0, severity=Severity.CRITICAL))

        assert opened == replace(_incident(0, severity=Severity.CRITICAL), number=1)
        assert stores.incidents.get("id0") == stores.incidents.get("INC-1") == opened

    def test_opening_twice_keeps_the_first(self, stores: Platform):
        first = stores.incidents.open(_incident(0))

        assert stores.incidents.open(_incident(0, title="another")) == first
        assert stores.incidents.open(_incident(1)).number == 2

    def test_numbers_are_given_per_tenant(self, stores: Platform):
        stores.incidents.open(_incident(0))

        assert stores.incidents.open(_incident(0, tenant="two")).number == 1
        assert stores.incidents.get("INC-1", "two").tenant == "two"

    def test_an_update_replaces_all_but_the_number(self, stores: Platform):
        stores.incidents.open(_incident(0))
        more = (*_incident(0).changes, Change(SHOP, START + 9, -4.0, 2.0, 1.0))
        stores.incidents.update(_incident(0, changes=more, status=Status.RESOLVED))

        found = stores.incidents.get("id0")
        assert (found.number, found.status, found.changes) == (1, Status.RESOLVED, more)
        assert stores.incidents.current() == ()
        assert stores.incidents.page(service="shop").items == (found,)

    def test_a_choice_opens_an_incident_or_joins_an_open_one(self, stores: Platform):
        more = (*_incident(0).changes, Change(SHOP, START + 9, -4.0, 2.0, 1.0))

        def choose(current: tuple[Incident, ...]) -> Incident:
            return replace(current[-1], changes=more) if current else _incident(0)

        first = stores.incidents.open_or_join(choose)
        assert first == replace(_incident(0), number=1)
        assert stores.incidents.open_or_join(choose) == replace(first, changes=more)
        assert stores.incidents.current() == (replace(first, changes=more),)
        assert stores.incidents.page(service="shop").items == (replace(first, changes=more),)

    def test_a_choice_sees_the_open_incidents_of_its_tenant(self, stores: Platform):
        for k in (1, 0, 2):
            stores.incidents.open(_incident(k))
        stores.incidents.update(_incident(2, status=Status.RESOLVED))
        seen: list[str] = []

        def choose(current: tuple[Incident, ...]) -> Incident:
            seen.extend(i.id for i in current)
            return _incident(7, tenant="two") if not current else current[0]

        stores.incidents.open_or_join(choose)
        assert seen == ["id0", "id1"]
        assert stores.incidents.open_or_join(choose, "two").tenant == "two"

    def test_a_revision_changes_what_is_stored_now_but_not_who_it_is(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.update(_incident(0, title="changed since"))

        def resolved(now: Incident) -> Incident:
            return replace(now, id="other", number=9, status=Status.RESOLVED)

        found = stores.incidents.revise("INC-1", resolved)

        assert (found.id, found.number, found.title) == ("id0", 1, "changed since")
        assert stores.incidents.get("id0") == found
        with pytest.raises(NotFound):
            stores.incidents.revise("id9", resolved)

    def test_what_is_not_there_is_not_found(self, stores: Platform):
        for missing in ("id9", "INC-9", "INC-x", "", "INC-99999999999999999999"):
            with pytest.raises(NotFound):
                stores.incidents.get(missing)
        with pytest.raises(NotFound):
            stores.incidents.update(_incident(9))
        with pytest.raises(NotFound):
            stores.incidents.save("id9", _diagnosis())
        with pytest.raises(NotFound):
            stores.incidents.fail("id9", "broken")

    def test_current_incidents_stand_oldest_first(self, stores: Platform):
        for k in (2, 0, 1):
            stores.incidents.open(_incident(k))
        stores.incidents.update(_incident(1, status=Status.RESOLVED))

        assert [i.id for i in stores.incidents.current()] == ["id0", "id2"]

    def test_pages_go_from_new_to_old_without_gap_or_repeat(self, stores: Platform):
        for k in range(7):
            stores.incidents.open(_incident(k, opened_unix=START + k // 2))
        seen, cursor = [], None
        for _ in range(4):
            page = stores.incidents.page(limit=2, cursor=cursor)
            seen += [i.id for i in page.items]
            cursor = page.next_cursor
            stores.incidents.open(_incident(100 + len(seen), opened_unix=START + 1000))

        assert seen == [f"id{k}" for k in (6, 5, 4, 3, 2, 1, 0)]
        assert cursor is None

    def test_a_page_may_be_of_one_status_and_service(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.open(_incident(1, symptom=SHOP, changes=()))
        stores.incidents.update(_incident(0, status=Status.RESOLVED))

        assert [i.id for i in stores.incidents.page(status=Status.OPEN).items] == ["id1"]
        assert [i.id for i in stores.incidents.page(service="cart").items] == ["id0"]
        assert stores.incidents.page(service="cart", status=Status.OPEN).items == ()

    @pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "bnVsbA", "eyJhIjogMX0", "AAAA"])
    def test_a_cursor_that_is_not_ours_is_refused(self, stores: Platform, cursor: str):
        with pytest.raises(InvalidInput, match="cursor"):
            stores.incidents.page(cursor=cursor)

    def test_a_page_of_nothing_is_refused(self, stores: Platform):
        with pytest.raises(InvalidInput):
            stores.incidents.page(limit=0)

    def test_a_diagnosis_comes_back_and_a_later_one_replaces_it(self, stores: Platform):
        stores.incidents.open(_incident(0))
        assert stores.incidents.diagnosis("id0") is None
        stores.incidents.save("id0", _diagnosis())
        assert stores.incidents.diagnosis("INC-1") == _diagnosis()

        stores.incidents.save("INC-1", _diagnosis("shop did it"))
        assert stores.incidents.diagnosis("id0") == _diagnosis("shop did it")

    def test_a_failure_is_kept_beside_the_diagnosis_until_the_next_success(self, stores: Platform):
        stores.incidents.open(_incident(0))
        stores.incidents.save("id0", _diagnosis())
        stores.incidents.fail("id0", "too few rows")

        assert stores.incidents.failure("INC-1") == "too few rows"
        assert stores.incidents.diagnosis("id0") == _diagnosis()

        stores.incidents.save("id0", _diagnosis())
        assert stores.incidents.failure("id0") is None
        assert stores.incidents.failure("id9") is None


class TestResults:
    def _analysis(self, answer: str, parameters: str = "{}", method: str = "pagerank") -> Analysis:
        graph = CausalGraph((CART, SHOP), (Edge(CART, SHOP, 1, 0.5),))
        blocks = (
            Table("Scores", ("service", "score"), (("cart", 0.5), ("shop", None))),
            Bars("Scores", ("cart",), (0.5,), "share"),
            GraphBlock("Graph", graph),
            Note("a note"),
        )
        return Analysis("id0", method, parameters, "ok", Result(answer, blocks, ("careful",)))

    def test_an_analysis_comes_back_as_it_was(self, stores: Platform):
        stores.results.save(self._analysis("cart stands first"))

        assert stores.results.of("id0") == (self._analysis("cart stands first"),)
        assert stores.results.of("id1") == ()
        assert stores.results.of("id0", "two") == ()

    def test_it_is_kept_once_for_each_method_and_parameters(self, stores: Platform):
        stores.results.save(self._analysis("old"))
        stores.results.save(self._analysis("new"))
        stores.results.save(self._analysis("other", '{"lag":2}'))
        stores.results.save(self._analysis("first", method="baro"))

        kept = stores.results.of("id0")
        assert [a.method for a in kept] == ["baro", "pagerank", "pagerank"]
        assert {a.result.answer for a in kept if a.result} == {"first", "new", "other"}

    def test_a_failure_is_kept_with_its_reason(self, stores: Platform):
        failed = Analysis("id0", "pc", "{}", "failed", reason="ZeroDivisionError", seconds=1.5)
        stores.results.save(failed)

        assert stores.results.of("id0") == (failed,)

    def test_the_catalogue_is_replaced_as_a_whole(self, stores: Platform):
        def entry(name: str) -> MethodEntry:
            return MethodEntry(name, "ranking", "Why?", "A 2020", "It ranks.", "{}", True, "1")

        stores.results.save_catalogue([entry("b"), entry("a")])
        assert [e.name for e in stores.results.catalogue()] == ["a", "b"]
        stores.results.save_catalogue([entry("c")])
        assert stores.results.catalogue() == (entry("c"),)
        stores.results.save_catalogue([])
        assert stores.results.catalogue() == ()
