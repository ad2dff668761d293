"""What every store of placements keeps to: SQL on both databases, and the fake."""

from __future__ import annotations

from dataclasses import replace

from rootward.model.placement import Backend, PlacedPod, Placement
from rootward.ports import Platform

START = 1_700_000_000.0
SHOP = Placement(
    "shop",
    START,
    (PlacedPod("cart-0", "cart", "n1", ("10.0.0.1", "fd00::1")),),
    (Backend("cart-svc", ("10.96.0.5",), ("cart-0",)),),
)
PAY = Placement("pay", START, (), ())


def test_placements_come_back_as_they_were_by_namespace(stores: Platform):
    stores.placements.put([SHOP, PAY])
    assert stores.placements.all() == (PAY, SHOP)


def test_a_later_word_replaces_an_earlier_one_and_not_the_other_way_round(stores: Platform):
    later = replace(SHOP, at_unix=START + 9, pods=())
    stores.placements.put([later])
    stores.placements.put([SHOP])
    assert stores.placements.all() == (later,)


def test_tenants_see_their_own(stores: Platform):
    stores.placements.put([SHOP], "one")
    assert stores.placements.all() == ()


def test_what_was_not_spoken_of_for_long_is_forgotten(stores: Platform):
    stores.placements.put([SHOP, replace(PAY, at_unix=START + 500)])
    assert stores.placements.expire(START + 100) == 1
    assert [p.namespace for p in stores.placements.all()] == ["pay"]
