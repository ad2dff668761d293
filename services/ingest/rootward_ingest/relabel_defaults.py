"""The rules that are in force unless an operator turns them off.

They say which service, and which instance, the metrics of cAdvisor, kube-state-metrics, Istio and
OpenTelemetry's exporter for Prometheus are about: their labels `job`, `instance` and `container`
name the exporter, the node or a part of a pod. What is told twice, or tells nothing, is dropped.
"""

from __future__ import annotations

from rootward.model.series import INSTANCE, METRIC_NAME, SERVICE
from rootward_ingest.relabel import Action, Relabelling, Rule

_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
"""What Kubernetes makes random names of: no vowels, so no words."""
_POD = f"(.+?)(?:-(?:{_RANDOM}{{6,10}}|[0-9]{{8,10}}))?-{_RANDOM}{{5}}"
"""A pod of a deployment, a daemon set or a job; the first group is its workload."""
_ORDINAL = "(.+)-[0-9]{1,4}"
"""A pod of a stateful set."""
_CGROUPS = (
    "container_(?:blkio|cpu|file|fs|last|memory|oom|processes|sockets|spec|start|tasks|threads"
    "|ulimits)_[^;]*"
)
_COMPOSE = "container_label_com_docker_compose_service"
_UNNAMED = "service", "service_name", "app_kubernetes_io_name", "app", "k8s_deployment_name"
"""Labels that name a service on purpose."""


def _from(label: str, regex: str = "(.+)", *, of: str, to: str = SERVICE) -> Rule:
    """Of the metrics that begin so, one label names the target, by the first group."""
    return Rule(source_labels=(label,), regex=regex, target_label=to, metrics=of)


def _drop(*labels: str, regex: str, of: str = "") -> Rule:
    return Rule(Action.DROP, labels, regex, metrics=of)


def _workload(of: str) -> tuple[Rule, ...]:
    """The pod names the workload that it is of, and is the instance."""
    return (
        _from("pod", _POD, of=of),
        _from("pod", _ORDINAL, of=of),
        _from("pod", of=of, to=INSTANCE),
    )


_KUBERNETES = tuple(
    Rule(
        source_labels=(*_UNNAMED, "pod"),
        regex=f"{';' * len(_UNNAMED)}(?:{pod})",
        target_label=SERVICE,
    )
    for pod in (_POD, _ORDINAL)
)
_CADVISOR = (
    _drop(METRIC_NAME, "container", "name", _COMPOSE, regex=f"{_CGROUPS};;;", of="container_"),
    _drop(METRIC_NAME, "container", regex=f"{_CGROUPS};POD", of="container_"),
    *_workload("container_"),
    Rule(
        source_labels=("container", "pod", "name"),
        regex=";;(.+)",
        target_label=SERVICE,
        metrics="container_",
    ),
    _from(_COMPOSE, of="container_"),
)
_KUBE_STATE_METRICS = (
    _drop(METRIC_NAME, regex=".*_(?:annotations|created|info|labels)", of="kube_"),
    _from("exported_pod", of="kube_", to="pod"),
    _from("exported_container", of="kube_", to="container"),
    *_workload("kube_pod_"),
    _from("horizontalpodautoscaler", of="kube_"),
    _from("replicaset", f"(.+?)(?:-{_RANDOM}{{6,10}})?", of="kube_"),
    _from("daemonset", of="kube_"),
    _from("statefulset", of="kube_"),
    _from("deployment", of="kube_"),
)
_ISTIO = tuple(
    Rule(
        source_labels=("reporter", f"{end}_{kind}"),
        regex=f"{end};((?!unknown$).+)",
        target_label=SERVICE,
        metrics="istio_",
    )
    for end in ("source", "destination")
    for kind in ("workload", "canonical_service")
)
_OPENTELEMETRY = (
    _drop(METRIC_NAME, regex="target_info|otel_scope_info"),
    Rule(
        source_labels=("service", "service_name", "exported_job"),
        regex=";;(?:.+/)?([^/;]+)",
        target_label=SERVICE,
    ),
    Rule(
        source_labels=("exported_job", "exported_instance"),
        regex="[^;]+;(.+)",
        target_label=INSTANCE,
    ),
)
DEFAULT = Relabelling((*_KUBERNETES, *_CADVISOR, *_KUBE_STATE_METRICS, *_ISTIO, *_OPENTELEMETRY))
