"""Names of OpenTelemetry as names of Prometheus: metrics, units, attributes, resources.

After https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from rootward.model.series import INSTANCE, METRIC_NAME, SERVICE
from rootward_ingest.known_series import Labels

Pairs = tuple[tuple[str, str], ...]
RESOURCE = {
    "service.name": SERVICE,
    "service.instance.id": INSTANCE,
} | {
    name: name.replace(".", "_")
    for name in (
        *("service.namespace", "deployment.environment", "deployment.environment.name"),
        *("host.name", "container.name", "cloud.region", "cloud.availability_zone"),
        *("k8s.cluster.name", "k8s.namespace.name", "k8s.node.name", "k8s.pod.name"),
        *("k8s.container.name", "k8s.deployment.name", "k8s.statefulset.name"),
        *("k8s.daemonset.name", "k8s.job.name", "k8s.cronjob.name"),
    )
}
"""Attributes of a resource that become labels of its series, and their names there."""
_POD = "k8s.pod.name"
_TAKEN = frozenset({METRIC_NAME, SERVICE, INSTANCE})
_UNITS = {
    "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds", "By": "bytes", "KiBy": "kibibytes",
    "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes", "KBy": "kilobytes",
    "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes", "m": "meters", "V": "volts",
    "A": "amperes", "J": "joules", "W": "watts", "g": "grams", "Cel": "celsius", "Hz": "hertz",
    "%": "percent", "1": "",
}  # fmt: skip
_PER = {"s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week"}
_NOTE = re.compile(r"\{[^}]*\}")
_NOT_METRIC = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")


@lru_cache(maxsize=65536)
def metric_name(name: str, unit: str, *, counter: bool = False, gauge: bool = False) -> str:
    """`http.server.request.duration` in `s` → `http_server_request_duration_seconds`.

    A counter ends in `_total`, a gauge in unit 1 in `_ratio`.
    """
    words = [word for word in _NOT_METRIC.split(name) if word]
    if not words:
        return ""
    if counter:
        words = [word for word in words if word != "total"]
    words += [word for word in _unit_words(unit, gauge=gauge) if word not in words]
    if counter:
        words.append("total")
    joined = "_".join(words)
    return f"_{joined}" if joined[0].isdigit() else joined


def _unit_words(unit: str, *, gauge: bool) -> list[str]:
    if unit == "1":
        return ["ratio"] if gauge else []
    main, _, per = _NOTE.sub("", unit).strip().partition("/")
    words = [word for word in _NOT_METRIC.split(_UNITS.get(main, main)) if word]
    per_words = [word for word in _NOT_METRIC.split(_PER.get(per, per)) if word]
    return words + (["per", *per_words] if per_words else [])


@lru_cache(maxsize=65536)
def label_name(key: str) -> str:
    """`http.route` → `http_route`; a name that the resource gives becomes `exported_…`."""
    name = _NOT_LABEL.sub("_", key)
    if name in _TAKEN:
        return f"exported_{name}"
    return f"key_{name}" if name[:1].isdigit() else name


def pairs_of(attributes: Iterable[KeyValue]) -> Pairs:
    """Attributes as they came, their values as text."""
    return tuple(
        (
            one.key,
            one.value.string_value if one.value.HasField("string_value") else text_of(one.value),
        )
        for one in attributes
    )


def resource_labels(attributes: Iterable[KeyValue]) -> Pairs:
    """The labels that a resource gives to all of its series.

    Without `service.instance.id`, the pod is the instance.
    """
    values = dict(pairs_of(attributes))
    labels = {RESOURCE[name]: text for name, text in values.items() if name in RESOURCE}
    if not labels.get(INSTANCE) and values.get(_POD):
        labels[INSTANCE] = values[_POD]
    return tuple(labels.items())


def labels_of(metric: str, resource: Pairs, attributes: Pairs) -> Labels:
    """The label set of a data point; where two attributes become one label, the first stays."""
    labels = {METRIC_NAME: metric} | dict(resource)
    for key, text in attributes:
        labels.setdefault(label_name(key), text)
    return list(labels.items())


def text_of(value: AnyValue) -> str:
    """An attribute's value as text: lists and maps as JSON, bytes in base 64."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, separators=(",", ":"))


def _plain(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return {one.key: _plain(one.value) for one in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return "" if kind is None else getattr(value, kind)
