"""What was done before an onset, as evidence of the candidates that it concerns."""

from __future__ import annotations

from dataclasses import replace

from rootward.model.change_event import BEFORE_SECONDS, ChangeEvent, ChangeKind
from rootward.rca.recent_changes import with_changes
from tests.services import made_up_incident as shop

NODE = ChangeEvent(
    "default", "kubernetes/", "1", shop.ONSET - 120, ChangeKind.OTHER, "", "node n1 is not ready",
    details=(("runs", "orders-db, cart"),),
)  # fmt: skip


def _told(event: ChangeEvent) -> dict[str, list[str]]:
    """The evidence that an event adds, by candidate."""
    before, after = shop.diagnosis(), with_changes(shop.diagnosis(), [event])
    return {
        old.service: [e.text for e in new.evidence[len(old.evidence) :]]
        for old, new in zip(before.candidates, after.candidates, strict=True)
        if new != old
    }


def test_what_happened_to_a_node_is_told_of_who_runs_there_and_of_nobody_else():
    told = _told(NODE)
    assert set(told) == {"cart", "orders-db"}
    (text,) = told["orders-db"]
    assert text.startswith("Where orders-db runs, at ")
    assert text.endswith("before the onset: node n1 is not ready.")


def test_what_was_done_to_a_service_is_told_as_done_to_it():
    (text,) = _told(replace(NODE, service="orders-db", details=(), title="index dropped"))[
        "orders-db"
    ]
    assert text.startswith("orders-db was changed at ")


def test_an_event_of_nobody_or_of_long_ago_is_no_evidence():
    assert _told(replace(NODE, details=())) == {}
    assert _told(replace(NODE, at_unix=shop.ONSET - BEFORE_SECONDS - 1)) == {}
