"""POST /api/v1/samples: samples as plain JSON, for scripts, tests and the curious.

One object a sample::

    {"samples": [{"service": "cart", "metric": "latency_seconds", "time": 1700000000.0,
                  "value": 0.2, "labels": {"instance": "cart-1"}}]}

or columns, where `values[k][t]` is series k at time t::

    {"series": [{"service": "cart", "metric": "latency_seconds"}],
     "times": ["2023-11-14T22:13:20Z", 1700000015], "values": [[0.2, null]]}

`labels` may repeat the service, but not name another. A time is Unix seconds or RFC 3339 with an
offset; a value null says "not measured from here on".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

import numpy as np
from fastapi import Response
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from rootward.errors import RejectedSamples, UnreadableBody
from rootward.model.series import METRIC_NAME, SERVICE
from rootward_ingest.desk import Parcel, Problem
from rootward_ingest.intake import Intake, Readings, Receipt
from rootward_ingest.json_answers import JSON, problem_answer, require_plain
from rootward_ingest.known_series import REFUSED, KnownSeries, Slot
from rootward_ingest.limits import DEFAULTS, too_many_samples
from rootward_ingest.parts import PART_BYTES, require_json
from rootward_ingest.reasons import Reason
from rootward_ingest.texts import moment

_COST = 4
"""Bytes of Python objects that a byte of such JSON becomes, roughly."""
Row = tuple[Slot, float, float]
"""Slot, time in Unix seconds, value."""


class Samples:
    """JSON samples: 200 once all are durable, 400 where some are refused, both with counts."""

    protocol = "json"

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce plain JSON."""
        require_plain(headers, JSON)

    def take(self, parcel: Parcel) -> Response:
        """Read and accept samples.

        Raises:
            InvalidInput: the body is not what the head of this module describes.
            Busy, Unavailable: nothing was taken.
        """
        body, limits = parcel.body, self._intake.limits_of(parcel.tenant)
        built = _COST * len(body) + PART_BYTES * require_json(body, limits.max_parts)
        parcel.claim.cover(min(built, limits.largest_bytes))
        readings = read(body, self._intake.known_of(parcel.tenant), limits.max_samples)
        receipt = self._intake.accept(readings, self.protocol, parcel.tenant)
        return (
            problem_answer(*_rejected(receipt))
            if receipt.rejected
            else JSONResponse(_counts(receipt))
        )

    def refuse(self, problem: Problem) -> Response:
        """Problem details after RFC 9457."""
        return problem_answer(problem)


def read(body: bytes, known: KnownSeries, most_samples: int = DEFAULTS.max_samples) -> Readings:
    """The samples in a JSON body; one that cannot be read stands there with its reason.

    Raises:
        TooLarge: they are too many.
        UnreadableBody: not JSON, or not of either form.
    """
    try:
        content = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"not JSON: {error}") from error
    if not isinstance(content, dict) or ("samples" in content) == ("series" in content):
        raise UnreadableBody("expected an object with either `samples` or `series`")
    _require_few(content, most_samples)
    rows = list(_single(content, known) if "samples" in content else _columnar(content, known))
    return Readings(
        [slot for slot, _, _ in rows],
        np.array([time for _, time, _ in rows], np.float64),
        np.array([value for _, _, value in rows], np.float64),
    )


def _single(content: Mapping[str, object], known: KnownSeries) -> Iterator[Row]:
    for entry in _listed(content, "samples"):
        slot = _slot(entry, known)
        fields = entry if isinstance(entry, dict) else {}
        yield _row(slot, _time(fields.get("time")), _value(fields.get("value")))


def _columnar(content: Mapping[str, object], known: KnownSeries) -> Iterator[Row]:
    slots = [_slot(entry, known) for entry in _listed(content, "series")]
    times = [_time(entry) for entry in _listed(content, "times")]
    columns = _listed(content, "values")
    if len(columns) != len(slots):
        raise UnreadableBody(f"{len(slots)} series, but values of {len(columns)}")
    for slot, column in zip(slots, columns, strict=True):
        if not isinstance(column, list) or len(column) != len(times):
            raise UnreadableBody(
                f"each list in `values` needs one value for each of {len(times)} times"
            )
        for time, entry in zip(times, column, strict=True):
            yield _row(slot, time, _value(entry))


def _require_few(content: Mapping[str, object], most: int) -> None:
    lengths = [len(entry) for entry in content.values() if isinstance(entry, list)]
    if max(lengths, default=0) > most:
        raise too_many_samples(most)


def _row(slot: Slot, time: float | None, value: float | None) -> Row:
    if slot.reason is None and time is None:
        slot = REFUSED[Reason.BAD_TIME]
    elif slot.reason is None and value is None:
        slot = REFUSED[Reason.BAD_VALUE]
    return slot, math.nan if time is None else time, math.nan if value is None else value


def _slot(entry: object, known: KnownSeries) -> Slot:
    if not isinstance(entry, dict):
        return REFUSED[Reason.NO_NAME]
    labels = entry.get("labels", {})
    named = {
        key: entry[field]
        for key, field in ((METRIC_NAME, "metric"), (SERVICE, "service"))
        if field in entry
    }
    if not isinstance(labels, dict) or any(labels.get(k, v) != v for k, v in named.items()):
        return REFUSED[Reason.BAD_LABELS]
    pairs = list((named | labels).items())
    if not all(isinstance(value, str) for _, value in pairs):
        return REFUSED[Reason.BAD_LABELS]
    slots = known.of_spans("json", [tuple(pairs)], list)
    assert slots is not None  # `list` never gives None
    return slots[0]


def _time(entry: object) -> float | None:
    """Unix seconds, or None for what is not a time."""
    if not isinstance(entry, str):
        seconds = _number(entry)
        return seconds if seconds is not None and math.isfinite(seconds) else None
    return moment(entry)


def _value(entry: object) -> float | None:
    """The value, NaN for null, or None for what is not a value."""
    return math.nan if entry is None else _number(entry)


def _number(entry: object) -> float | None:
    if isinstance(entry, bool) or not isinstance(entry, int | float):
        return None
    try:
        return float(entry)
    except OverflowError:
        return math.inf


def _listed(content: Mapping[str, object], key: str) -> Sequence[object]:
    listed = content.get(key)
    if not isinstance(listed, list):
        raise UnreadableBody(f"expected a list in `{key}`")
    return listed


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; null says that nothing was measured")


def _counts(receipt: Receipt) -> dict[str, object]:
    left_out = {"left_out": dict(receipt.left_out)} if receipt.left_out else {}
    return {"accepted": receipt.accepted, "rejected": dict(receipt.rejected)} | left_out


def _rejected(receipt: Receipt) -> tuple[Problem, dict[str, object]]:
    detail = str(RejectedSamples(receipt.accepted, receipt.rejected))
    problem = Problem(400, "Some samples were refused", detail)
    return problem, _counts(receipt) | {"reasons": list(receipt.details)}
