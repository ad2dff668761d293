"""From the labels that a sender gives to a series of ours: the rules of `rootward.model.naming`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized

from rootward.model.naming import named
from rootward.model.series import METRIC_NAME, Series
from rootward_ingest.limits import DEFAULTS, MAX_LABEL_BYTES, Limits
from rootward_ingest.reasons import Reason


def series_of(labels: Iterable[tuple[str, str]], limits: Limits = DEFAULTS) -> Series | Reason:
    """The series that a label set stands for, or why there is none."""
    pairs = list(labels)
    return wrong(pairs, limits) or named_series(dict(pairs))


def named_series(labels: Mapping[str, str]) -> Series | Reason:
    """The same, for a label set in which nothing is wrong by itself."""
    if not labels.get(METRIC_NAME):
        return Reason.NO_NAME
    return named(labels) or Reason.NO_SERVICE


def wrong(pairs: Sequence[tuple[str, str]], limits: Limits) -> Reason | None:
    """What is wrong with a label set by itself, None if nothing is."""
    if len(pairs) > limits.max_labels:
        return Reason.TOO_MANY_LABELS
    if not pairs:
        return None
    names, values = zip(*pairs, strict=True)
    if _too_long(names, values, limits):  # in characters, so that no long text is looked into
        return Reason.LABELS_TOO_LONG
    if len(set(names)) < len(names) or not all(names):
        return Reason.BAD_LABELS
    text = "".join((*names, *values))
    if "\0" in text:  # PostgreSQL takes none in text
        return Reason.BAD_LABELS
    if text.isascii():
        return None
    try:
        encoded = [name.encode() for name in names], [value.encode() for value in values]
    except UnicodeEncodeError:  # a lone surrogate out of JSON: no database takes it
        return Reason.BAD_LABELS
    return Reason.LABELS_TOO_LONG if _too_long(*encoded, limits) else None


def _too_long(names: Sequence[Sized], values: Sequence[Sized], limits: Limits) -> bool:
    total = sum(map(len, names)) + sum(map(len, values))
    if total <= min(limits.max_label_name_bytes, limits.max_label_value_bytes):
        return total > MAX_LABEL_BYTES
    return (
        total > MAX_LABEL_BYTES
        or max(map(len, names)) > limits.max_label_name_bytes
        or max(map(len, values)) > limits.max_label_value_bytes
    )
