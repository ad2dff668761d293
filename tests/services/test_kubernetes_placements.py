"""What runs where, read from a server that speaks list and watch."""

from __future__ import annotations

from typing import Any

import pytest

from rootward.errors import Unavailable
from rootward.model.placement import Backend, PlacedPod
from rootward.ports import Platform
from rootward_ingest.kubernetes.membership import workload_of
from tests.services.watched import Watched

HASH = "5d9c7b8f6d"


def _pod(name: str, ip: str, *, owner: str = f"cart-{HASH}", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {"pod-template-hash": HASH},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner, "controller": True}],
        },
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "podIPs": [{"ip": ip}], **status},
    }


def _service(name: str = "cart-svc", ip: str = "10.96.0.5") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"clusterIPs": [ip]}}


def _slice(*pods: str, name: str = "cart-svc-x1", service: str = "cart-svc") -> dict[str, Any]:
    targets = [{"targetRef": {"kind": "Pod", "name": pod}} for pod in pods]
    labels = {"kubernetes.io/service-name": service}
    return {
        "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "endpoints": [*targets, {"addresses": ["192.0.2.1"]}],
    }


ONE, TWO = "cart-5d9c7b8f6d-aaaaa", "cart-5d9c7b8f6d-bbbbb"


@pytest.fixture
def cart(watched: Watched) -> Watched:
    """A cluster in which the service cart-svc leads to one pod of the deployment cart."""
    watched.cluster.put("pods", _pod(ONE, "10.0.0.1"))
    watched.cluster.put("services", _service())
    watched.cluster.put("endpointslices", _slice(ONE))
    watched.start()
    return watched


def test_a_service_leads_through_its_slices_to_pods_and_these_to_their_workload(cart: Watched):
    found = cart.placement(lambda p: p.pods and p.backends)
    assert found.pods == (PlacedPod(ONE, "cart", "n1", ("10.0.0.1",)),)
    assert found.backends == (Backend("cart-svc", ("10.96.0.5",), (ONE,)),)


def test_what_comes_later_and_what_goes_is_followed(cart: Watched):
    cart.cluster.put("pods", _pod(TWO, "10.0.0.2"))
    cart.cluster.put("endpointslices", _slice(TWO, name="cart-svc-x2"))
    # two watches: which of them tells first is the server's affair
    found = cart.placement(
        lambda p: len(p.pods) == 2 and p.backends and p.backends[0].pods == (ONE, TWO)
    )
    assert [pod.addresses for pod in found.pods] == [("10.0.0.1",), ("10.0.0.2",)]

    cart.cluster.put("pods", _pod(ONE, "10.0.0.1", phase="Succeeded"))
    cart.cluster.delete("endpointslices", "cart-svc-x1")
    found = cart.placement(lambda p: len(p.pods) == 1 and p.backends[0].pods == (TWO,))
    assert found.pods[0].name == TWO

    cart.cluster.delete("services", "cart-svc")
    assert cart.placement(lambda p: not p.backends).pods == found.pods


def test_what_went_while_the_server_forgot_is_gone_after_listing_again(cart: Watched):
    cart.cluster.put("pods", _pod(TWO, "10.0.0.2"))
    cart.placement(lambda p: len(p.pods) == 2)
    cart.cluster.delete("pods", ONE)
    cart.cluster.forget()
    cart.cluster.cut()
    assert cart.placement(lambda p: len(p.pods) == 1).pods[0].name == TWO


def test_a_pod_that_shares_the_address_of_its_node_has_none_of_its_own(watched: Watched):
    agent = _pod("agent-x7k2p", "192.0.2.7")
    agent["spec"]["hostNetwork"] = True
    watched.cluster.put("pods", agent)
    watched.cluster.put("services", _service("headless", "None"))
    watched.start()
    found = watched.placement(lambda p: p.pods and p.backends)
    assert found.pods[0].addresses == ()
    assert found.backends == (Backend("headless", (), ()),)


def test_what_happens_to_a_node_names_the_workloads_that_run_there(cart: Watched):
    def node(ready: str) -> dict[str, Any]:
        conditions = [{"type": "Ready", "status": ready}]
        return {"metadata": {"name": "n1"}, "status": {"conditions": conditions}}

    cart.cluster.put("nodes", node("True"))
    cart.placement(lambda p: p.pods)
    cart.cluster.put("nodes", node("Unknown"))
    (event,) = cart.events(1)
    assert dict(event.details)["runs"] == "cart"
    assert event.concerns("cart")
    assert not event.concerns("car")


def test_a_store_that_does_not_answer_is_tried_again(
    cart: Watched, fake_platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    cart.placement(lambda p: p.pods)
    put, failures = fake_platform.placements.put, iter([Unavailable("away")])

    def failing(*told: object) -> None:
        for error in failures:
            raise error
        put(*told)

    monkeypatch.setattr(fake_platform.placements, "put", failing)
    cart.cluster.put("pods", _pod(TWO, "10.0.0.2"))
    cart.placement(lambda p: len(p.pods) == 2)


@pytest.mark.parametrize(
    ("owner", "labels", "workload"),
    [
        (("ReplicaSet", f"cart-{HASH}"), {"pod-template-hash": HASH}, "cart"),
        (("ReplicaSet", f"cart-{HASH}"), {"rollouts-pod-template-hash": HASH}, "cart"),
        (("ReplicaSet", "bare-set"), {}, "bare-set"),
        (("Job", "report-29384950"), {}, "report"),
        (("Job", "import-2024"), {}, "import-2024"),
        (("StatefulSet", "db"), {}, "db"),
        (None, {}, "alone"),
    ],
)
def test_the_owner_tells_the_workload(
    owner: tuple[str, str] | None, labels: dict[str, str], workload: str
):
    metadata: dict[str, Any] = {"name": "alone", "labels": labels}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    assert workload_of({"metadata": metadata}) == workload
