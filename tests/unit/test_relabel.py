"""Relabelling: the actions of Prometheus, and what the built-in rules make of real labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootward.errors import InvalidConfiguration
from rootward.model.series import Series
from rootward_ingest.naming import Naming
from rootward_ingest.reasons import Reason
from rootward_ingest.relabel import Action, Relabelling, Rule
from rootward_ingest.relabel_defaults import DEFAULT

GIVEN = {"__name__": "up", "job": "shop/cart", "code": "200", "pod_tmp": "x"}


def after(*rules: Rule) -> dict[str, str] | None:
    return Relabelling(rules).apply(GIVEN)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        (Rule(source_labels=("job",), regex=".+/(.+)", target_label="service"),
         {"service": "cart"}),
        (Rule(source_labels=("job", "code"), regex="(.+)/(.+);(.+)", target_label="x",
              replacement="${2}-$3$$"), {"x": "cart-200$"}),
        (Rule(source_labels=("job",), regex="(?P<ns>.+)/(.+)", target_label="in_${ns}",
              replacement="$ns"), {"in_shop": "shop"}),
        (Rule(source_labels=("job",), regex="shop", target_label="service"), {}),
        (Rule(source_labels=("none",), target_label="code", replacement=""), {"code": ""}),
        (Rule(target_label="env", replacement="prod"), {"env": "prod"}),
        (Rule(source_labels=("job",), regex="(.)(.*)", target_label="x", replacement="$1_$9"),
         {"x": ""}),
        (Rule(Action.UPPERCASE, ("job",), target_label="job"), {"job": "SHOP/CART"}),
        (Rule(Action.LABELMAP, regex="(.+)_tmp", replacement="$1"), {"pod": "x"}),
        (Rule(Action.LABELDROP, regex="c.+|pod_tmp"), {"code": "", "pod_tmp": ""}),
        (Rule(Action.LABELKEEP, regex="__name__|job"), {"code": "", "pod_tmp": ""}),
        (Rule(Action.KEEP, ("code",), "2.."), {}),
        (Rule(Action.DROP, ("code",), "2"), {}),
        (Rule(Action.KEEPEQUAL, ("code",), target_label="code"), {}),
        (Rule(Action.DROPEQUAL, ("code",), target_label="job"), {}),
        (Rule(Action.DROP, metrics="kube_"), {}),
    ],
)  # fmt: skip
def test_an_action_does_what_prometheus_does(rule: Rule, changed: dict[str, str]):
    expected = {name: value for name, value in (GIVEN | changed).items() if value}
    assert after(rule) == expected


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Action.KEEP, ("code",), "2"),
        Rule(Action.DROP, ("code", "job"), "200;.*"),
        Rule(Action.KEEPEQUAL, ("code",), target_label="job"),
        Rule(Action.DROPEQUAL, ("none",), target_label="nothing"),
    ],
)
def test_a_rule_may_drop_a_series(rule: Rule):
    assert after(rule) is None


def test_rules_work_one_after_the_other():
    first = Rule(source_labels=("job",), regex=".+/(.+)", target_label="service")
    assert after(first, Rule(Action.DROP, ("service",), "cart")) is None


@pytest.mark.parametrize(
    "wrong", [{"regex": "("}, {"action": Action.REPLACE}, {"action": Action.DROPEQUAL}]
)
def test_a_rule_that_cannot_work_is_refused(wrong: dict[str, object]):
    with pytest.raises(InvalidConfiguration):
        Rule(**wrong)


names = st.sampled_from(["__name__", "job", "pod", "container", "exported_job", "x", ""])
values = st.text(max_size=8) | st.sampled_from(["container_cpu_x", "kube_pod_y", "istio_z", "up"])
sets = st.dictionaries(names, values, max_size=5)


@given(sets, st.sampled_from(list(Action)), names, st.sampled_from([".*", "(.)(.*)", "", "a|b"]))
def test_no_label_set_makes_a_rule_fail(
    labels: dict[str, str], action: Action, name: str, regex: str
):
    before = dict(labels)
    found = Relabelling((Rule(action, (name, "job"), regex, "x", "$1${2}$3"),)).apply(labels)
    assert labels == before
    assert found is None or all(name and value for name, value in found.items())


@given(sets)
def test_keep_and_drop_are_each_others_opposite(labels: dict[str, str]):
    kept = Relabelling((Rule(Action.KEEP, ("job",), "[a-m].*"),)).apply(labels)
    dropped = Relabelling((Rule(Action.DROP, ("job",), "[a-m].*"),)).apply(labels)
    assert (kept is None) != (dropped is None)


@given(sets)
def test_the_built_in_rules_take_whatever_comes(labels: dict[str, str]):
    found, _ = Naming(relabelling=DEFAULT).of(list(labels.items()))
    assert isinstance(found, Series | Reason)


CADVISOR = {
    "__name__": "container_cpu_usage_seconds_total",
    "job": "kubelet",
    "instance": "10.0.0.4:10250",
    "id": "/kubepods/burstable/pod1/abc",
    "image": "docker.io/shop/cart:2",
    "name": "abc",
    "namespace": "shop",
    "container": "server",
    "pod": "cart-7d4b9c6f5c-x2x9z",
}
STATE = {
    "__name__": "kube_pod_container_status_restarts_total",
    "job": "kube-state-metrics",
    "instance": "10.0.0.9:8080",
    "container": "server",
    "namespace": "shop",
    "pod": "orders-db-0",
    "app_kubernetes_io_name": "kube-state-metrics",
}
ISTIO = {
    "__name__": "istio_requests_total",
    "job": "kubernetes-pods",
    "app": "frontend",
    "reporter": "destination",
    "source_workload": "frontend",
    "destination_workload": "cart-v2",
    "destination_canonical_service": "cart",
}


@pytest.mark.parametrize(
    ("labels", "service", "instance"),
    [
        (CADVISOR, "cart", "cart-7d4b9c6f5c-x2x9z"),
        (CADVISOR | {"pod": "orders-db-0"}, "orders-db", "orders-db-0"),
        (CADVISOR | {"pod": "node-agent-7hk2p"}, "node-agent", "node-agent-7hk2p"),
        (CADVISOR | {"pod": "report-28493280-b5q2x"}, "report", "report-28493280-b5q2x"),
        (CADVISOR | {"pod": "cart-redis"}, "server", "cart-redis"),
        (
            {
                "__name__": "container_memory_rss",
                "name": "shop_cart_1",
                "container_label_com_docker_compose_service": "cart",
                "instance": "cadvisor:8080",
                "job": "cadvisor",
            },
            "cart",
            "cadvisor:8080",
        ),
        ({"__name__": "container_memory_rss", "name": "db", "job": "cadvisor"}, "db", ""),
        (STATE, "orders-db", "orders-db-0"),
        (
            STATE | {"__name__": "kube_deployment_status_replicas", "deployment": "cart"},
            "cart",
            "10.0.0.9:8080",
        ),
        (STATE | {"pod": "ksm", "exported_pod": "cart-7d4b9c6f5c-x2x9z"}, "cart",
         "cart-7d4b9c6f5c-x2x9z"),
        (ISTIO, "cart", ""),
        (ISTIO | {"destination_canonical_service": "unknown"}, "cart-v2", ""),
        (ISTIO | {"reporter": "source"}, "frontend", ""),
        (
            {
                "__name__": "http_server_duration_seconds_sum",
                "job": "otel-collector",
                "instance": "collector:8889",
                "exported_job": "shop/cart",
                "exported_instance": "cart-1",
            },
            "cart",
            "cart-1",
        ),
        (
            {"__name__": "up", "job": "monitoring/cart", "container": "server",
             "pod": "cart-7d4b9c6f5c-x2x9z", "instance": "10.0.0.7:8080"},
            "cart",
            "10.0.0.7:8080",
        ),
        ({"__name__": "up", "app": "cart", "pod": "other-7d4b9c6f5c-x2x9z"}, "cart",
         "other-7d4b9c6f5c-x2x9z"),
        ({"__name__": "up", "job": "node", "instance": "node-1:9100"}, "node", "node-1:9100"),
    ],
)  # fmt: skip
def test_the_built_in_rules_find_service_and_instance(
    labels: dict[str, str], service: str, instance: str
):
    found, _ = Naming(relabelling=DEFAULT).of(list(labels.items()))
    assert isinstance(found, Series)
    assert (found.service, found.instance) == (service, instance)


@pytest.mark.parametrize(
    "labels",
    [
        CADVISOR | {"container": "", "name": "", "image": ""},
        CADVISOR | {"container": "POD"},
        CADVISOR | {"container": "", "name": "", "pod": "", "id": "/system.slice/sshd.service"},
        STATE | {"__name__": "kube_pod_labels"},
        STATE | {"__name__": "kube_deployment_created"},
        {"__name__": "target_info", "job": "cart"},
    ],
)
def test_the_built_in_rules_drop_what_is_told_twice_or_tells_nothing(labels: dict[str, str]):
    assert Naming(relabelling=DEFAULT).of(list(labels.items()))[0] is Reason.DROPPED


def test_the_network_of_a_pod_is_kept_though_no_container_has_it():
    network = CADVISOR | {
        "__name__": "container_network_receive_bytes_total",
        "container": "",
        "name": "",
    }
    found, _ = Naming(relabelling=DEFAULT).of(list(network.items()))
    assert isinstance(found, Series)
    assert found.service == "cart"


def test_an_alert_on_a_workload_is_about_it_and_not_about_the_program_that_told():
    told = {"job": "kube-state-metrics", "service": "kube-state-metrics", "pod": "ksm-0"}
    naming = Naming(relabelling=DEFAULT)
    assert naming.service_of(told | {"deployment": "cart"}) == "cart"
    assert naming.service_of(told | {"pod": "cart-7d4b9c6f5c-x2x9z"}) == "cart"
    assert naming.service_of({"service": "cart", "deployment": "other"}) == "cart"
    assert naming.service_of({"severity": "none"}) == ""


rules = st.builds(
    Rule,
    action=st.sampled_from([a for a in Action if not a.startswith("label")]),
    source_labels=st.lists(names, max_size=2).map(tuple),
    regex=st.sampled_from(["(.*)", "(.)(.*)", "container_.*", "", "up|kube_pod_y"]),
    target_label=st.sampled_from(["job", "x", "pod", "__name__", "of_$1"]),
    replacement=st.sampled_from(["$1", "", "const"]),
    metrics=st.sampled_from(["", "container_", "kube_"]),
)


@given(st.lists(rules, max_size=5), st.lists(sets, min_size=1, max_size=4))
def test_what_is_remembered_is_what_the_rules_make(chosen: list[Rule], given_sets):
    remembering = Relabelling(tuple(chosen))
    for labels in given_sets * 2:
        anew = Relabelling((*chosen, Rule(Action.LABELKEEP)))  # it makes nothing memorable
        assert remembering.apply(dict(labels)) == anew.apply(dict(labels))


@given(st.lists(sets, min_size=1, max_size=4))
def test_the_built_in_rules_remember_rightly(given_sets: list[dict[str, str]]):
    anew = Relabelling((*DEFAULT.rules, Rule(Action.LABELKEEP)))
    for labels in given_sets:
        assert DEFAULT.apply(dict(labels)) == anew.apply(dict(labels))


def test_what_senders_make_up_is_remembered_within_bounds():
    relabelling = Relabelling((Rule(source_labels=("pod",), target_label="service"),))
    for k in range(25_000):
        labels = {"__name__": f"m{k}", "pod": f"p{k}" * 200 if k % 2 else f"p{k}"}
        assert relabelling.apply(labels) == labels | {"service": labels["pod"]}
    assert len(relabelling._groups) <= 10_000
    (group,) = relabelling._by_rules.values()
    assert len(group._made) <= 10_000
    assert max(len(text or "") for key in group._made for text in key) <= 512
