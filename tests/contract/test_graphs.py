"""What every store of causal graphs keeps to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.errors import InvalidInput, NotFound
from rootward.model.graph import CausalGraph, Edge
from rootward.model.graph_version import DriftNotice, GraphVersion, Reason
from rootward.model.series import Series
from rootward.ports import Platform

NOON = 1_700_000_000.0
LATENCY, LOAD = Series.of("latency_seconds", "cart"), Series.of("requests_rate", "cart")
STOCK = Series.of("latency_seconds", "stock")
EDGE = Edge(STOCK, LATENCY, 1, 0.4, 1)
FIRST = GraphVersion(
    tenant="default",
    group="cart",
    number=1,
    created_unix=NOON,
    start_unix=NOON - 5400,
    end_unix=NOON - 15,
    step_seconds=15.0,
    graph=CausalGraph((LATENCY, LOAD, STOCK), (EDGE,)),
    relearnt=(LATENCY, LOAD),
    reason=Reason.FIRST,
    quiet_from_unix=NOON - 5400,
    held_until_unix=NOON - 15,
)
NOTICE = DriftNotice("cart", NOON + 60, "argo", "7", "cart 1.4", "After cart 1.4 …")


def _next(before: GraphVersion, notices: tuple[DriftNotice, ...] = ()) -> GraphVersion:
    return replace(
        before,
        number=before.number + 1,
        created_unix=before.created_unix + 3600,
        graph=replace(before.graph, edges=()),
        relearnt=(LATENCY,),
        reason=Reason.STRUCTURE,
        lost=(EDGE,),
        notices=notices,
    )


def test_a_version_comes_back_as_it_was_put(stores: Platform):
    second = _next(FIRST, (NOTICE,))
    assert stores.graphs.put(FIRST)
    assert stores.graphs.put(second)
    assert stores.graphs.current("cart") == second
    assert stores.graphs.get("cart", 1) == FIRST
    assert stores.graphs.history("cart") == (second, FIRST)
    assert FIRST.columns == (LATENCY, LOAD)


def test_the_first_word_under_a_number_stays(stores: Platform):
    stores.graphs.put(FIRST)
    assert not stores.graphs.put(replace(FIRST, reason=Reason.SCHEDULED))
    assert stores.graphs.current("cart") == FIRST


def test_what_held_longer_is_told_and_an_earlier_word_changes_nothing(stores: Platform):
    stores.graphs.put(FIRST)
    stores.graphs.confirm(FIRST, NOON - 900, NOON + 3600)
    stores.graphs.confirm(FIRST, NOON - 5400, NOON + 1800)
    found = stores.graphs.get("cart", 1)
    assert (found.quiet_from_unix, found.held_until_unix) == (NOON - 900, NOON + 3600)
    assert stores.graphs.page().items == (found,)


def test_the_version_in_force_is_the_last_one_written_by_then(stores: Platform):
    second = _next(FIRST)
    for one in (FIRST, second):
        stores.graphs.put(one)
    assert stores.graphs.in_force("cart", NOON - 1) is None
    assert stores.graphs.in_force("cart", NOON + 3599) == FIRST
    assert stores.graphs.in_force("cart", NOON + 3600) == second
    numbers = [stores.graphs.number_in_force("cart", NOON + late) for late in (-1, 3599, 3600)]
    assert numbers == [None, FIRST.number, second.number]


def test_pages_hold_the_current_version_of_each_service(stores: Platform):
    services = ("cart", "offers", "stock")
    for name in services:
        stores.graphs.put(replace(FIRST, group=name))
        stores.graphs.put(replace(_next(FIRST), group=name))
    page = stores.graphs.page(limit=2)
    rest = stores.graphs.page(limit=2, cursor=page.next_cursor)
    assert [one.group for one in (*page.items, *rest.items)] == list(services)
    assert {one.number for one in (*page.items, *rest.items)} == {2}
    assert rest.next_cursor is None


def test_versions_with_notices_come_the_newest_first(stores: Platform):
    stores.graphs.put(FIRST)
    second = _next(FIRST, (NOTICE,))
    third = _next(second, (replace(NOTICE, event_id="8"),))
    for one in (second, third):
        stores.graphs.put(one)
    page = stores.graphs.noticed(limit=1)
    rest = stores.graphs.noticed(limit=1, cursor=page.next_cursor)
    assert (page.items, rest.items) == ((third,), (second,))
    assert rest.next_cursor is None
    with pytest.raises(InvalidInput):
        stores.graphs.noticed(cursor="no number")


def test_old_versions_go_but_those_that_incidents_name_stay(stores: Platform):
    versions = [FIRST]
    for _ in range(4):
        versions.append(_next(versions[-1]))
    for one in versions:
        stores.graphs.put(one)
    stores.graphs.put(replace(FIRST, group="stock"))
    stores.graphs.use(versions[1])
    assert stores.graphs.expire(keep=2) == 2
    assert [one.number for one in stores.graphs.history("cart")] == [5, 4, 2]
    assert stores.graphs.current("stock") is not None
    with pytest.raises(NotFound):
        stores.graphs.get("cart", 1)


def test_another_tenant_sees_nothing(stores: Platform):
    stores.graphs.put(replace(_next(FIRST, (NOTICE,)), tenant="other"))
    assert stores.graphs.current("cart") is None
    assert stores.graphs.page().items == ()
    assert stores.graphs.noticed().items == ()
    assert stores.graphs.current("cart", "other") is not None
