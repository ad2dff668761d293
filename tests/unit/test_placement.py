"""Membership held against series: names and addresses lead to services, and to no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rootward.model.placement import Backend, Placed, PlacedPod, Placement, Whereabouts, is_named
from rootward.model.series import Series
from rootward.rca.labelled_calls import labelled_calls

POD = PlacedPod("cart-a-1", "cart", "n1", ("10.0.0.1", "fd00::1"))
SHOP = Placement(
    "shop",
    0.0,
    (
        POD,
        PlacedPod("cart-a-2", "cart", "n2", ("10.0.0.2",)),
        PlacedPod("web-b-1", "web", "n1", ("10.0.0.3",)),
    ),
    (Backend("cart-svc", ("10.96.0.5",), ("cart-a-1", "cart-a-2", "gone")),),
)
WEB, CART = Series.of("requests_total", "web"), Series.of("requests_total", "cart")


def _calls(address: str, *others: Series, shop: Placement = SHOP) -> tuple[tuple[str, str], ...]:
    """The calls that a client of web makes known which names this address."""
    client = Series("http.client.duration", (("server.address", address), ("service", "web")))
    series = [client, WEB, CART, *others]
    return labelled_calls(series, Placed([shop], series).names())


@pytest.mark.parametrize(
    "address",
    [
        *("cart-svc", "cart-svc:8080", "cart-svc.shop", "cart-svc.shop.svc.cluster.local:80"),
        *("http://cart-svc.shop:80/items", "10.96.0.5", "10.96.0.5:8080", "10.0.0.2:9000"),
        *("[fd00::1]:8080", "FD00::1"),
    ],
)
def test_the_name_and_every_address_of_a_kubernetes_service_lead_to_its_workload(address: str):
    assert _calls(address) == (("web", "cart"),)


@pytest.mark.parametrize("address", ["cart-svc.pay", "other-svc", "10.96.0.6", "192.0.2.1:80"])
def test_what_the_cluster_does_not_know_leads_nowhere(address: str):
    assert _calls(address) == ()


def test_membership_alone_makes_no_call():
    series = [WEB, CART]
    assert labelled_calls(series, Placed([SHOP], series).names()) == ()


def test_a_call_to_a_service_with_two_workloads_is_a_call_to_each():
    canary = PlacedPod("canary-1", "cart-canary", "n1", ())
    shop = replace(
        SHOP,
        pods=(*SHOP.pods, canary),
        backends=(Backend("cart-svc", (), ("cart-a-1", "canary-1")),),
    )
    calls = _calls("cart-svc", Series.of("requests_total", "cart-canary"), shop=shop)
    assert calls == (("web", "cart"), ("web", "cart-canary"))


def test_a_bare_name_that_two_namespaces_have_leads_nowhere_unless_both_agree():
    series = [Series.of("m", "cart"), Series.of("m", "till")]
    pay = Placement(
        "pay", 0.0, (PlacedPod("till-1", "till", "", ()),), (Backend("cart-svc", (), ("till-1",)),)
    )
    names = Placed([SHOP, pay], series).names()
    assert "cart-svc" not in names
    assert (names["cart-svc.shop"], names["cart-svc.pay"]) == (("cart",), ("till",))
    same = Placement("stage", 0.0, (POD,), (Backend("cart-svc", (), (POD.name,)),))
    assert Placed([SHOP, same], series).names()["cart-svc"] == ("cart",)


@pytest.mark.parametrize("instance", ["cart-a-1", "10.0.0.1:8080", "[fd00::1]:8080"])
def test_a_service_of_another_name_is_found_by_the_instances_of_its_series(instance: str):
    trolley = Series.of("requests_total", "trolley", instance=instance)
    placed = Placed([SHOP], [trolley])
    assert placed.names()["cart-svc.shop"] == ("trolley",)
    assert placed.whereabouts()["trolley"] == Whereabouts(
        ("shop/cart",),
        2,
        ("n1", "n2"),
        ("shop/cart-svc",),
        (("shop", POD), ("shop", SHOP.pods[1])),
        0.0,
    )


def test_of_several_services_that_name_a_pod_the_one_of_the_workloads_name_is_meant():
    sidecar = Series.of("requests_total", "proxy", pod="cart-a-1")
    own = Series.of("requests_total", "cart", pod="cart-a-1")
    assert Placed([SHOP], [sidecar, own]).names()["10.96.0.5"] == ("cart",)
    other = Series.of("requests_total", "trolley", pod="cart-a-1")
    assert "10.96.0.5" not in Placed([SHOP], [sidecar, other]).names()


def test_a_pod_name_that_recurs_is_told_apart_by_the_namespace_or_not_at_all():
    pods = {
        space: Placement(space, 0.0, (PlacedPod("db-0", f"db-{space}", "", ()),), ())
        for space in ("shop", "pay")
    }
    vague = Series.of("up", "storage", pod="db-0")
    assert Placed(list(pods.values()), [vague]).whereabouts() == {}
    clear = Series.of("up", "storage", pod="db-0", namespace="pay")
    found = Placed(list(pods.values()), [clear]).whereabouts()
    assert found["storage"].workloads == ("pay/db-pay",)


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"pod": "cart-a-1", "instance": "10.9.9.9:9100"}, True),
        ({"instance": "[fd00::1]:9100"}, True),
        ({"instance": "http://10.0.0.1:80/metrics"}, True),
        ({"instance": "10.0.0.11:80"}, False),
        ({"pod": "cart-a-10"}, False),
        ({}, False),
    ],
)
def test_a_series_is_of_the_pod_whose_name_or_address_its_labels_say(
    labels: dict[str, str], named: bool
):
    assert is_named(POD, Series.of("requests_total", "cart", **labels)) is named
