"""Why a sample is refused, in stable words and in words for people."""

from __future__ import annotations

from enum import StrEnum

from rootward.model.naming import SERVICE_SOURCES
from rootward.model.series import METRIC_NAME
from rootward_ingest.limits import MAX_LABEL_BYTES, Limits


class Reason(StrEnum):
    """A stable word for metrics, answers and logs."""

    NO_NAME = "no_name"
    NO_SERVICE = "no_service"
    BAD_LABELS = "bad_labels"
    TOO_MANY_LABELS = "too_many_labels"
    LABELS_TOO_LONG = "labels_too_long"
    SERIES_LIMIT = "series_limit"
    DROPPED = "dropped_by_rule"
    DEDUPLICATED = "deduplicated"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    TOO_FAR_AHEAD = "too_far_ahead"
    TOO_OLD = "too_old"
    INFINITE = "infinite"
    DUPLICATE_CONFLICT = "duplicate_conflict"


WANTED = frozenset({Reason.DROPPED, Reason.DEDUPLICATED})
"""Why a sample is left out as the operator wants it: no fault, and no cause for complaint."""


def explained(reason: Reason, limits: Limits) -> str:
    """What is wrong and what is expected instead."""
    return {
        Reason.NO_NAME: f"the metric has no name (label {METRIC_NAME})",
        Reason.NO_SERVICE: f"no label names the service; give one of {', '.join(SERVICE_SOURCES)}",
        Reason.BAD_LABELS: "labels must be distinct, named, and text without NUL characters",
        Reason.TOO_MANY_LABELS: f"a series may have {limits.max_labels} labels",
        Reason.LABELS_TOO_LONG: (
            f"label names may take {limits.max_label_name_bytes} bytes, values "
            f"{limits.max_label_value_bytes}, all of a series {MAX_LABEL_BYTES}"
        ),
        Reason.SERIES_LIMIT: f"a new series beyond {limits.max_series}; known ones go on",
        Reason.DROPPED: "a rule drops it",
        Reason.DEDUPLICATED: "another replica of the pair is listened to",
        Reason.BAD_TIME: "time must be Unix seconds or RFC 3339 with an offset",
        Reason.BAD_VALUE: "value must be a number, or null for not measured",
        Reason.TOO_FAR_AHEAD: f"time is over {limits.max_ahead_seconds:g} s ahead of our clock",
        Reason.TOO_OLD: f"time is over {limits.max_age_seconds:g} s behind our clock",
        Reason.INFINITE: "value is infinite",
        Reason.DUPLICATE_CONFLICT: "another value came before for this time, which stays",
    }[reason]
