"""From the labels of Prometheus to a series of ours.

The rules, in this order:

1. `__name__` is the metric.
2. `service` is the value of the first label present of `SERVICE_SOURCES`. A job
   `namespace/name` gives its name.
3. `instance` is the value of the first label present of `INSTANCE_SOURCES`.
4. A label that gave its whole value to `service` or `instance` is thereby renamed; all others
   are kept. A label with an empty value counts as absent, as in Prometheus.
"""

from __future__ import annotations

from collections.abc import Mapping

from rootward.model.series import INSTANCE, METRIC_NAME, SERVICE, Series

SERVICE_SOURCES = (
    "service",
    "service_name",
    "app_kubernetes_io_name",
    "app",
    "k8s_deployment_name",
    "container",
    "job",
)
"""Labels that can name the service; the first one present wins."""

INSTANCE_SOURCES = ("instance", "pod")
"""Labels that can name the instance; the first one present wins."""


def named(labels: Mapping[str, str]) -> Series | None:
    """The series that a label set stands for; None where it names no metric or no service."""
    kept = dict(labels)
    if "" in kept.values():
        kept = {name: value for name, value in kept.items() if value}
    metric = kept.pop(METRIC_NAME, "")
    _rename(kept, SERVICE_SOURCES, SERVICE)
    _rename(kept, INSTANCE_SOURCES, INSTANCE)
    if not metric or SERVICE not in kept:
        return None
    pairs = tuple(sorted(kept.items()))
    return Series.checked(metric, pairs) if pairs[0][0] else Series(metric, pairs)


def _rename(labels: dict[str, str], sources: tuple[str, ...], target: str) -> None:
    for source in sources:
        if source in labels:
            break
    else:
        return
    if source == target:
        return
    value = labels[source].rpartition("/")[2] if source == "job" else labels[source]
    if value == labels[source]:
        del labels[source]
    if value:
        labels[target] = value
