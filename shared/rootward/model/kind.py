"""What a metric measures, read from its name: kind, unit, and which direction harms.

The rules follow the OpenTelemetry semantic conventions and the names that cAdvisor, node
exporter, kube-state-metrics, Istio and the common client libraries use. They look at whole
words: `workload` is no `load`, `clock` no `lock`. A name that says nothing is `OTHER`.
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


def _words(alternatives: str) -> re.Pattern[str]:
    """Matches whole words of a name written with underscores."""
    return re.compile(rf"(?:^|_)(?:{alternatives})(?=_|$)")


_RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    # clocks, limits and head counts: they describe, they do not measure work
    (
        Kind.OTHER,
        _words(
            r"(start|boot|creation|deletion|change)_time|last_seen|timestamp|uptime|info|created|"
            r"spec|limits?|quota|requested|until_expiry|replicas|generation|max_conns"
        ),
    ),
    # page faults and allocation failures of the memory manager are no failed requests
    (Kind.UTILISATION, _words(r"pgfault|page_faults?|memory_fail(ures?|cnt)|pgpg(in|out)")),
    (
        Kind.SATURATION,
        _words(
            r"pgmajfault|oom|throttl\w*|pressure|psi|backlog|queue|queued|pending|waiting|wait|"
            r"waits|iowait|blocked|locks?|deadlocks?|inflight|in_flight|active_requests|pool|"
            r"disk_(read_|write_)?latency|io_(now|time_weighted)|evict(ed|ions?)|"
            r"retrans\w*|drops?|dropped|squeezed|lag|oldest|message_age"
        ),
    ),
    (
        Kind.ERRORS,
        _words(
            r"err|errs|errors?|inerrors|\w*fail|fail(ed|ures?)|exceptions?|exhausted|crash\w*|"
            r"[45]xx|[45]\d\d|availability|success|timeouts?|retry|retries|faults?|"
            r"reject(ed|s|ions?)|abort(ed|s)?|cancel+ed|panics?|restarts?|killed|up|healthy"
        ),
    ),
    (
        Kind.SATURATION,
        _words(
            r"load(1|5|15|_average|avg)|sockets?|sockstat|connections?|conns?|clients|threads?|"
            r"goroutines?|processes|procs|fds?|filefd|file_descriptors|tasks|conntrack|"
            r"in_use|depth"
        ),
    ),
    (
        Kind.UTILISATION,
        _words(r"gc|cpu|io_time|scrape|schedstat|(jvm|go|node)_gc|disk|fs|filesystem|process_cpu"),
    ),
    (
        Kind.LATENCY,
        _words(
            r"lat|lat_\d+|latency|latencies|duration|rt|response_time|delay|elapsed|ttfb|"
            r"handling|p\d{2,3}|quantile|seconds_mean|ms|rtt"
        ),
    ),
    (
        Kind.TRAFFIC,
        _words(
            r"requests?|responses?|rps|qps|tps|throughput|workload|traffic|calls?|hits|visits|"
            r"queries|transactions|messages|commands|operations?|ops|handled|records|envelopes"
        ),
    ),
    (
        Kind.UTILISATION,
        _words(
            r"mem|memory|mem\w+|heap|rss|vss|swap|cache|inodes?|usage|used|util|utili[sz]ation|"
            r"net|net_(in|out)|netstat|network|receive|transmit|received|transmitted|sent|rx|tx|"
            r"(k|m|g)?i?bytes|read|reads|write|writes|written|syscalls?|softnet|"
            r"context_switches|intr|interrupts|vmstat|buffers?|power|io"
        ),
    ),
    (Kind.TRAFFIC, _words(r"count|rate|load|lod|per_(s|sec|second|min|minute)")),
)
_REPORTS = _words(
    r"alerts?|alarms?|warn|warnings?|alertmanager|prometheus|alarm_manager|monitoring|stacklight"
)
_GOOD_WHEN_HIGH = _words(
    r"availability|avail|available|success|up|ready|healthy|hit_rat(e|io)|free|idle|throughput|"
    r"mem(available|free)"
)
_NOT_GOOD = _words(r"errors?|fail(ed|ures?)|messages_ready|evict\w*|free_\w*(errors|fail\w*)")
_UNITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"cpu_((usage|user|system)_)?seconds(_total)?_(rate|per_second)$"), "cores"),
    (re.compile(r"seconds(_total)?_rate$"), "s/s"),
    (re.compile(r"bytes(_total)?_(rate|per_second)$"), "B/s"),
    (re.compile(r"requests_rate$|_per_sec(ond)?s?$|(^|_)[rqt]ps$"), "/s"),
    (re.compile(r"_per_min(ute)?$"), "/min"),
    (re.compile(r"(^|_)(percent|pct)(_|$)|%"), "%"),
    (re.compile(r"(^|_)bytes(_|$)"), "B"),
    (re.compile(r"(^|_)(ms|millis|milliseconds)(_|$)"), "ms"),
    (re.compile(r"(^|_)seconds(_|$)"), "s"),
    (re.compile(r"(^|_)mb$"), "MB"),
    (re.compile(r"(^|_)gib$"), "GiB"),
    (re.compile(r"(^|_)cores$"), "cores"),
)
_RESOURCES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("cpu", _words(r"cpus?|cores?|load(1|5|15|_average|avg)|schedstat|throttl\w*")),
    ("memory", _words(r"mem|memory|mem\w+|heap|rss|vss|swap|oom|pgm?aj?fault|page_faults?|gc")),
    ("disk", _words(r"disk|fs|filesystem|io|iowait|blkio|inodes?|read|reads|write|writes|written")),
    (
        "network",
        _words(
            r"net|network|netstat|receive|transmit|received|transmitted|rx|tx|sockets?|sockstat|"
            r"tcp\w*|udp\w*|packets?|conntrack|retrans\w*"
        ),
    ),
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^a-z0-9%]+")


@lru_cache(maxsize=65536)
def words_of(name: str) -> str:
    """The name in lower case with underscores between its words, however it was written."""
    return _SEPARATORS.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


@lru_cache(maxsize=65536)
def kind_of(metric: str) -> Kind:
    """The kind of a metric by its name; `OTHER` where the name says nothing."""
    name = words_of(metric)
    return next((kind for kind, pattern in _RULES if pattern.search(name)), Kind.OTHER)


@lru_cache(maxsize=65536)
def resource_of(metric: str) -> str:
    """`cpu`, `memory`, `disk` or `network` where a metric of a resource names it, else its kind."""
    name, kind = words_of(metric), kind_of(metric)
    if kind in EXTERNAL:
        return str(kind)
    return next((word for word, pattern in _RESOURCES if pattern.search(name)), str(kind))


@lru_cache(maxsize=65536)
def harmful_direction(metric: str) -> int:
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    name = words_of(metric)
    if _GOOD_WHEN_HIGH.search(name) and not _NOT_GOOD.search(name):
        return -1
    return 0 if kind_of(metric) in (Kind.TRAFFIC, Kind.OTHER) else 1


@lru_cache(maxsize=65536)
def unit_of(metric: str) -> str:
    """The unit that the name states, or an empty string."""
    name = words_of(metric)
    return next((unit for pattern, unit in _UNITS if pattern.search(name)), "")


@lru_cache(maxsize=65536)
def is_report(name: str) -> bool:
    """Whether a metric is an alarm, or a service watches others: both repeat what was noticed."""
    return _REPORTS.search(words_of(name)) is not None
