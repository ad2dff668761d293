"""What every store of alerts and change events keeps to: SQL on SQLite, and the fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.errors import InvalidInput, NotFound
from rootward.model.alert import Alert, AlertStatus
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.ports import Platform

START = 1_700_000_000.0
SLOW = Alert(
    "default",
    "f00",
    START,
    AlertStatus.FIRING,
    "cart",
    (("alertname", "Slow"), ("service", "cart")),
    (("summary", "cart is slow"),),
    seen_unix=START + 5,
)
ENDED = replace(SLOW, status=AlertStatus.RESOLVED, ends_unix=START + 60, seen_unix=START + 65)
DEPLOY = ChangeEvent(
    "default", "/ci", "1", START, ChangeKind.DEPLOY, "cart", "cart v2", details=(("image", "a:2"),)
)


class TestAlerts:
    def test_an_alert_comes_back_as_it_was(self, stores: Platform):
        assert stores.alerts.put([SLOW]) == (SLOW,)
        assert stores.alerts.get(SLOW.key) == SLOW

    def test_a_repeat_is_the_same_alert_seen_later(self, stores: Platform):
        later = replace(SLOW, seen_unix=START + 300)
        stores.alerts.put([SLOW])
        stores.alerts.put([later, SLOW])
        assert stores.alerts.page().items == (later,)

    def test_an_end_is_final_whatever_comes_after_it(self, stores: Platform):
        stores.alerts.put([SLOW])
        assert stores.alerts.put([ENDED]) == (ENDED,)
        assert stores.alerts.put([replace(SLOW, seen_unix=START + 900)]) == (ENDED,)

    def test_firing_again_is_another_alert(self, stores: Platform):
        stores.alerts.put([ENDED, replace(SLOW, starts_unix=START + 900)])
        assert len(stores.alerts.page().items) == 2

    def test_its_incident_is_noted_once_and_outlives_what_comes_later(self, stores: Platform):
        stores.alerts.put([SLOW])
        stores.alerts.link(SLOW.key, "i1", opened=True, tenant="default")
        stores.alerts.link(SLOW.key, "i2", opened=False, tenant="default")
        stores.alerts.put([ENDED])
        (kept,) = stores.alerts.of("i1")
        assert (kept.status, kept.incident_id, kept.opened) == (AlertStatus.RESOLVED, "i1", True)
        assert stores.alerts.of("i2") == ()

    def test_what_is_not_there_is_not_found(self, stores: Platform):
        with pytest.raises(NotFound):
            stores.alerts.get("nobody")
        with pytest.raises(NotFound):
            stores.alerts.link("nobody", "i1", opened=True, tenant="default")

    def test_tenants_see_their_own(self, stores: Platform):
        stores.alerts.put([SLOW, replace(SLOW, tenant="two")])
        assert [a.tenant for a in stores.alerts.page("two").items] == ["two"]

    def test_a_page_may_be_of_one_status_and_service(self, stores: Platform):
        other = replace(SLOW, fingerprint="b", service="shop")
        stores.alerts.put([SLOW, other, replace(ENDED, fingerprint="c")])
        assert stores.alerts.page(service="shop").items == (other,)
        ended = stores.alerts.page(status=AlertStatus.RESOLVED).items
        assert [a.fingerprint for a in ended] == ["c"]

    def test_old_ones_expire(self, stores: Platform):
        stores.alerts.put([SLOW, replace(SLOW, fingerprint="b", seen_unix=START + 500)])
        assert stores.alerts.expire(START + 100) == 1
        assert [a.fingerprint for a in stores.alerts.page().items] == ["b"]


class TestChangeEvents:
    def test_an_event_is_stored_once_by_source_and_id(self, stores: Platform):
        assert stores.change_events.put([DEPLOY, replace(DEPLOY, title="sent again")]) == 1
        assert stores.change_events.put([DEPLOY, replace(DEPLOY, source="/argo")]) == 1
        assert DEPLOY in stores.change_events.page().items

    def test_those_between_two_times_stand_earliest_first(self, stores: Platform):
        events = [replace(DEPLOY, id=str(k), at_unix=START + k) for k in (4, 1, 3, 2)]
        stores.change_events.put(events)
        found = stores.change_events.between(START + 1, START + 3)
        assert [e.id for e in found] == ["1", "2", "3"]
        assert stores.change_events.between(START, START + 9, "two") == ()

    def test_old_ones_expire(self, stores: Platform):
        stores.change_events.put([DEPLOY, replace(DEPLOY, id="2", at_unix=START + 500)])
        assert stores.change_events.expire(START + 100) == 1
        assert [e.id for e in stores.change_events.page().items] == ["2"]

    def test_pages_go_from_the_last_that_came_without_gap_or_repeat(self, stores: Platform):
        for k in range(5):
            stores.change_events.put([replace(DEPLOY, id=str(k))])
        seen, cursor = [], None
        for _ in range(3):
            page = stores.change_events.page(limit=2, cursor=cursor, service="cart")
            seen += [e.id for e in page.items]
            cursor = page.next_cursor
        assert (seen, cursor) == (["4", "3", "2", "1", "0"], None)

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "²", "1.5"])
    def test_a_cursor_that_is_not_ours_is_refused(self, stores: Platform, cursor: str):
        for page in (stores.change_events.page, stores.alerts.page):
            with pytest.raises(InvalidInput, match="cursor"):
                page(cursor=cursor)
            with pytest.raises(InvalidInput):
                page(limit=0)
