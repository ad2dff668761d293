"""What a metric measures, read from its name: kind, unit, and which direction harms.

The rules follow the OpenTelemetry semantic conventions and the names that cAdvisor, node
exporter, Istio and the common client libraries use. A name that says nothing is `OTHER`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Kind(StrEnum):
    """The golden signals, and what lies beneath them."""

    LATENCY = "latency"
    ERRORS = "errors"
    TRAFFIC = "traffic"
    UTILISATION = "utilisation"
    SATURATION = "saturation"
    OTHER = "other"


EXTERNAL = frozenset({Kind.LATENCY, Kind.ERRORS, Kind.TRAFFIC})
"""Kinds that a caller can see (PRISM's external metrics); the rest is internal."""

_RULES: tuple[tuple[Kind, str], ...] = (
    (Kind.ERRORS, r"error|fail|exception|5xx|4xx|availab|success|timeout|retr(y|ies)|fault|reject"),
    (
        Kind.SATURATION,
        r"queue|pending|wait|throttl|backlog|inflight|in_flight|pool|lag$|_lag_"
        r"|lock|load(1|5|15)?$|psi|pressure|socket|connection|thread|fd|filefd|dropped",
    ),
    (
        Kind.LATENCY,
        r"latenc|duration|response_?time|_rt$|^rt$|lat_?\d|p(50|90|95|99)(_|$)|delay|"
        r"elapsed|seconds_mean|ttfb|^lat$",
    ),
    (
        Kind.UTILISATION,
        r"cpu|mem|heap|rss|disk|fs_|filesystem|io_time|io_read|io_write|usage|util|"
        r"net_|network|receive|transmit|bytes|gc_|read|write",
    ),
    (Kind.TRAFFIC, r"request|rps|qps|throughput|workload|traffic|calls|count|rate|ops|load"),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _RULES)
_GOOD_WHEN_HIGH = re.compile(r"availab|success|up$|ready|healthy|hit_?rat|throughput")
_UNITS = (
    (re.compile(r"bytes"), "B"),
    (re.compile(r"(_|\b)(ms|millis|milliseconds)(_|$)"), "ms"),
    (re.compile(r"seconds|duration"), "s"),
    (re.compile(r"percent|\(%\)"), "%"),
    (re.compile(r"ratio"), ""),
)


@lru_cache(maxsize=65536)
def kind_of(metric: str) -> Kind:
    """The kind of a metric by its name; `OTHER` where the name says nothing."""
    name = metric.lower()
    return next((kind for kind, pattern in _PATTERNS if pattern.search(name)), Kind.OTHER)


@lru_cache(maxsize=65536)
def harmful_direction(metric: str) -> int:
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    if _GOOD_WHEN_HIGH.search(metric.lower()):
        return -1
    return 0 if kind_of(metric) in (Kind.TRAFFIC, Kind.OTHER) else 1


@lru_cache(maxsize=65536)
def unit_of(metric: str) -> str:
    """The unit that the name states, or an empty string."""
    name = metric.lower()
    return next((unit for pattern, unit in _UNITS if pattern.search(name)), "")
