"""The watcher of a cluster, against a server that speaks list and watch."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rootward.errors import Unavailable
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.ports import Platform
from rootward_ingest.kubernetes.api import Api, Resource
from rootward_ingest.kubernetes.watcher import RESOURCES
from tests.services.watched import Watched

WRITTEN = "2023-11-14T22:13:20Z"
UNIX = 1_700_000_000.0


def _deployment(name: str = "cart", image: str = "cart:1", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image, "env": [{"name": "A", "value": "1"}]}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": {"deployment.kubernetes.io/revision": "7"},
            "managedFields": [
                {"manager": "kubectl", "time": WRITTEN},
                {"manager": "kube", "subresource": "status", "time": "2033-11-14T22:13:20Z"},
            ],
        },
        "spec": {"replicas": 3, "template": {"spec": {"containers": [container]}}, **spec},
    }


def _pod(restarts: int = 0, reason: str = "") -> dict[str, Any]:
    ended = {"reason": reason, "finishedAt": WRITTEN}
    last = {"lastState": {"terminated": ended}} if reason else {}
    owner = {"kind": "ReplicaSet", "name": "cart-5d9c7b8f6d", "controller": True}
    return {
        "metadata": {
            "name": "cart-5d9c7b8f6d-x7k2p",
            "namespace": "shop",
            "labels": {"pod-template-hash": "5d9c7b8f6d"},
            "ownerReferences": [owner],
        },
        "status": {"containerStatuses": [{"name": "main", "restartCount": restarts, **last}]},
    }


def _changed(thing: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    made = copy.deepcopy(thing)
    change(made)
    return made


class TestWorkloads:
    def test_a_new_image_is_a_deploy_of_its_service_at_the_time_it_was_written(
        self, watched: Watched
    ):
        watched.cluster.put("deployments", _deployment())
        watched.start()
        watched.cluster.put("deployments", _deployment(image="cart:2"))

        (event,) = watched.events(1)
        assert (event.kind, event.service, event.at_unix) == (ChangeKind.DEPLOY, "cart", UNIX)
        assert event.title == "cart: cart:1 → cart:2"
        details = dict(event.details)
        assert (details["namespace"], details["image"]) == ("shop", "cart:2")
        assert details["revision"] == "7"

    def test_more_replicas_are_a_scaling_and_a_status_is_nothing(self, watched: Watched):
        watched.cluster.put("statefulsets", _deployment())
        watched.start()
        watched.cluster.put("statefulsets", _deployment() | {"status": {"readyReplicas": 2}})
        watched.cluster.put("statefulsets", _deployment(replicas=5))

        (event,) = watched.events(1)
        assert (event.kind, event.title) == (ChangeKind.SCALING, "cart: 3 → 5 replicas")

    def test_another_environment_is_a_configuration_and_a_restart_is_a_restart(
        self, watched: Watched
    ):
        first = _deployment()
        watched.cluster.put("deployments", first)
        watched.start()

        def other_env(thing: dict[str, Any]) -> None:
            thing["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = "2"

        def restart(thing: dict[str, Any]) -> None:
            marks = {"kubectl.kubernetes.io/restartedAt": WRITTEN}
            thing["spec"]["template"]["metadata"] = {"annotations": marks}

        second = _changed(first, other_env)
        watched.cluster.put("deployments", second)
        watched.cluster.put("deployments", _changed(second, restart))

        kinds = [(e.kind, e.type) for e in watched.events(2)]
        assert kinds == [
            (ChangeKind.CONFIG, "kubernetes.template"),
            (ChangeKind.OTHER, "kubernetes.restart"),
        ]

    def test_what_comes_and_goes_is_told_and_what_is_there_at_the_start_is_not(
        self, watched: Watched
    ):
        for name in ("a", "b", "c", "d", "e"):  # three pages
            watched.cluster.put("daemonsets", _deployment(name))
        watched.start()
        watched.cluster.put("daemonsets", _deployment("late"))
        watched.cluster.delete("daemonsets", "c")

        assert [e.title for e in watched.events(2)] == ["late created: cart:1", "c removed"]


class TestOtherObjects:
    def test_a_config_map_tells_its_keys_and_never_its_values(self, watched: Watched):
        def config(**data: str) -> dict[str, Any]:
            labels = {"app.kubernetes.io/name": "cart"}
            return {
                "metadata": {"name": "cart-env", "namespace": "shop", "labels": labels},
                "data": data,
            }

        watched.cluster.put("configmaps", config(LIMIT="1", KEEP="x"))
        watched.start()
        watched.cluster.put("configmaps", config(LIMIT="hidden", KEEP="x"))

        (event,) = watched.events(1)
        assert (event.kind, event.service) == (ChangeKind.CONFIG, "cart")
        assert event.title == "config map cart-env: LIMIT changed"
        assert "hidden" not in repr(event)

    def test_memory_that_ran_out_is_told_with_its_workload_each_time(self, watched: Watched):
        watched.cluster.put("pods", _pod(1, "OOMKilled"))
        watched.start()
        watched.cluster.put("pods", _pod(2, "Error"))
        watched.cluster.put("pods", _pod(3, "OOMKilled"))
        watched.cluster.put("pods", _pod(3, "OOMKilled"))

        events = watched.events(2)
        assert {e.service for e in events} == {"cart"}
        assert {e.type for e in events} == {"kubernetes.oom"}
        assert events[0].at_unix == UNIX

    def test_an_eviction_is_told_once(self, watched: Watched):
        watched.cluster.put("pods", _pod())
        watched.start()
        evicted = {"reason": "Evicted", "message": "The node was low on memory."}
        for _ in range(2):
            watched.cluster.put("pods", _pod() | {"status": evicted})

        (event,) = watched.events(1)
        assert event.title.endswith("evicted. The node was low on memory.")

    def test_a_node_that_is_not_ready_or_cordoned_concerns_all_services(self, watched: Watched):
        def node(ready: str, *, cordoned: bool = False) -> dict[str, Any]:
            conditions = [{"type": "Ready", "status": ready}]
            return {
                "metadata": {"name": "n1"},
                "spec": {"unschedulable": cordoned},
                "status": {"conditions": conditions},
            }

        watched.cluster.put("nodes", node("True"))
        watched.start()
        watched.cluster.put("nodes", node("Unknown"))
        watched.cluster.put("nodes", node("Unknown", cordoned=True))

        titles = [(e.title, e.service) for e in watched.events(2)]
        assert titles == [("node n1 is not ready", ""), ("node n1 takes no more pods", "")]


class TestConnection:
    def test_nothing_is_missed_or_doubled_while_watches_break_off(self, watched: Watched):
        watched.cluster.put("deployments", _deployment())
        watched.start()
        for k in range(2, 6):
            watched.cluster.put("deployments", _deployment(image=f"cart:{k}"))
            watched.cluster.cut()

        titles = [e.title for e in watched.events(4)]
        assert titles == [f"cart: cart:{k} → cart:{k + 1}" for k in range(1, 5)]

    def test_what_the_server_has_forgotten_is_found_by_listing_again(self, watched: Watched):
        watched.cluster.put("deployments", _deployment())
        watched.start()
        watched.cluster.put("deployments", _deployment(image="cart:2"))
        watched.events(1)
        watched.cluster.forget()
        watched.cluster.put("deployments", _deployment(image="cart:3"))

        assert watched.events(2)[1].title == "cart: cart:2 → cart:3"

    def test_two_watchers_store_each_event_once(self, watched: Watched):
        watched.cluster.put("deployments", _deployment())
        watched.start()
        watched.start()
        watched.cluster.put("deployments", _deployment(image="cart:2"))
        watched.cluster.put("deployments", _deployment(image="cart:3"))

        assert [e.title[-6:] for e in watched.events(2)] == ["cart:2", "cart:3"]

    def test_a_store_that_does_not_answer_is_waited_for(
        self, watched: Watched, fake_platform: Platform, monkeypatch: pytest.MonkeyPatch
    ):
        watched.cluster.put("deployments", _deployment())
        watched.start()
        put, failures = fake_platform.change_events.put, iter([Unavailable("away")])

        def failing(events: list[ChangeEvent]) -> int:
            for error in failures:
                raise error
            return put(events)

        monkeypatch.setattr(fake_platform.change_events, "put", failing)
        watched.cluster.put("deployments", _deployment(image="cart:2"))

        assert watched.events(1)[0].service == "cart"

    def test_it_only_reads_and_only_what_it_says(self, watched: Watched):
        watched.start("shop")
        asked = set(watched.cluster.asked)
        plurals = {r.plural for r in RESOURCES if r.namespaced}
        assert {line.split("/")[-1] for line in asked} == plurals
        assert all(line.startswith("GET ") and "/namespaces/shop/" in line for line in asked)

    def test_a_token_that_is_refused_or_a_server_that_is_gone_is_unavailable(
        self, watched: Watched, tmp_path: Path
    ):
        pods = Resource("Pod", "api/v1", "pods")
        (tmp_path / "other").write_text("wrong")
        for url in (watched.url, "http://127.0.0.1:9"):
            api = Api(url, tmp_path / "other")
            with pytest.raises(Unavailable, match=r"401|does not answer"):
                api.list(pods)
            api.close()
