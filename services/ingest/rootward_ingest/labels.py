"""From the labels that a sender gives to a series of ours.

The rules, in this order:

1. `__name__` is the metric.
2. `service` is the value of the first label present of service, service_name,
   app_kubernetes_io_name, app, k8s_deployment_name, container, job. A job `namespace/name`
   gives its name.
3. `instance` is the value of the first label present of instance, pod.
4. A label that gave its whole value to `service` or `instance` is thereby renamed; all others
   are kept. A label with an empty value counts as absent, as in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized

from rootward.model.series import INSTANCE, METRIC_NAME, SERVICE, Series
from rootward_ingest.limits import DEFAULTS, MAX_LABEL_BYTES, Limits
from rootward_ingest.reasons import INSTANCE_SOURCES, SERVICE_SOURCES, Reason


def series_of(labels: Iterable[tuple[str, str]], limits: Limits = DEFAULTS) -> Series | Reason:
    """The series that a label set stands for, or why there is none."""
    pairs = list(labels)
    wrong = _wrong(pairs, limits)
    if wrong is not None:
        return wrong
    kept = {name: value for name, value in pairs if value}
    metric = kept.pop(METRIC_NAME, "")
    if not metric:
        return Reason.NO_NAME
    _rename(kept, SERVICE_SOURCES, SERVICE)
    _rename(kept, INSTANCE_SOURCES, INSTANCE)
    if SERVICE not in kept:
        return Reason.NO_SERVICE
    return Series(metric, tuple(sorted(kept.items())))


def service_of(labels: dict[str, str]) -> str:
    """The service that labels name, by the same rules; empty where they name none."""
    found = series_of((labels | {METRIC_NAME: "alert"}).items())
    return found.service if isinstance(found, Series) else ""


def _wrong(pairs: list[tuple[str, str]], limits: Limits) -> Reason | None:
    if len(pairs) > limits.max_labels:
        return Reason.TOO_MANY_LABELS
    if _too_long(pairs, limits):  # in characters, so that no long text is looked into
        return Reason.LABELS_TOO_LONG
    if len({name for name, _ in pairs}) < len(pairs) or not all(name for name, _ in pairs):
        return Reason.BAD_LABELS
    text = "".join(part for pair in pairs for part in pair)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:  # a lone surrogate out of JSON: no database takes it
        return Reason.BAD_LABELS
    if "\0" in text:  # PostgreSQL takes none in text
        return Reason.BAD_LABELS
    if len(encoded) == len(text):
        return None
    in_bytes = [(name.encode(), value.encode()) for name, value in pairs]
    return Reason.LABELS_TOO_LONG if _too_long(in_bytes, limits) else None


def _too_long(pairs: Sequence[tuple[Sized, Sized]], limits: Limits) -> bool:
    names, values = [len(name) for name, _ in pairs], [len(value) for _, value in pairs]
    return (
        max(names, default=0) > limits.max_label_name_bytes
        or max(values, default=0) > limits.max_label_value_bytes
        or sum(names) + sum(values) > MAX_LABEL_BYTES
    )


def _rename(labels: dict[str, str], sources: tuple[str, ...], target: str) -> None:
    source = next((name for name in sources if name in labels), None)
    if source is None or source == target:
        return
    value = labels[source].rpartition("/")[2] if source == "job" else labels[source]
    if value == labels[source]:
        del labels[source]
    if value:
        labels[target] = value
