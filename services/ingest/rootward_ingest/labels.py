"""From the labels that a sender gives to a series of ours: the rules of `rootward.model.naming`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized

from rootward.model.naming import named
from rootward.model.series import METRIC_NAME, Series
from rootward_ingest.limits import DEFAULTS, MAX_LABEL_BYTES, Limits
from rootward_ingest.reasons import Reason


def series_of(labels: Iterable[tuple[str, str]], limits: Limits = DEFAULTS) -> Series | Reason:
    """The series that a label set stands for, or why there is none."""
    pairs = list(labels)
    reason = wrong(pairs, limits)
    if reason is not None:
        return reason
    labelled = dict(pairs)
    if not labelled.get(METRIC_NAME):
        return Reason.NO_NAME
    return named(labelled) or Reason.NO_SERVICE


def wrong(pairs: list[tuple[str, str]], limits: Limits) -> Reason | None:
    """What is wrong with a label set by itself, None if nothing is."""
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
