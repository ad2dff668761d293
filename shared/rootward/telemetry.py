"""Our own Prometheus metrics, all of them, and how log lines look."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
)
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

INGEST_REQUESTS = Counter(
    "rootward_ingest_requests_total", "Requests answered by ingest.", ["protocol", "code"]
)
INGEST_SAMPLES = Counter(
    "rootward_ingest_samples_total", "Samples accepted and durable.", ["protocol", "tenant"]
)
INGEST_REJECTED = Counter(
    "rootward_ingest_rejected_samples_total",
    "Samples refused, by reason.",
    ["reason", "tenant"],
)
INGEST_REFUSED = Counter(
    "rootward_ingest_refused_requests_total",
    "Requests refused whole, by the limit.",
    ["limit", "tenant"],
)
INGEST_STALE = Counter("rootward_ingest_stale_markers_total", "Staleness markers accepted.")
INGEST_IGNORED = Counter(
    "rootward_ingest_ignored_total", "What senders sent along and is not used, by kind.", ["kind"]
)
INGEST_INFLIGHT = Gauge(
    "rootward_ingest_inflight_bytes", "Bytes of the requests that are being read or handled."
)
ALERTS = Counter(
    "rootward_alerts_total",
    "Alerts received: firing, resolved, or truncated by the sender.",
    ["status"],
)
CHANGE_EVENTS = Counter("rootward_change_events_total", "Change events accepted.", ["kind"])
INGEST_SECONDS = Histogram(
    "rootward_ingest_request_duration_seconds", "Time to answer an ingest request.", ["protocol"]
)
SCRAPES = Counter("rootward_scrapes_total", "Scrapes of targets, by outcome.", ["outcome"])
ACTIVE_SERIES = Gauge("rootward_active_series", "Series known to this process.", ["tenant"])
LAST_SAMPLE = Gauge("rootward_last_sample_timestamp_seconds", "Time of the newest sample accepted.")
BUS_BACKLOG = Gauge("rootward_bus_backlog", "Batches taken and not yet handled.")
BUS_PARTITIONS = Gauge("rootward_bus_partitions", "Partitions of the bus that come here.")
BUS_LAG_SECONDS = Gauge(
    "rootward_bus_lag_seconds", "Age of the batch that was handled last, when it was handled."
)
JOBS_BACKLOG = Gauge("rootward_jobs_backlog", "Jobs that wait or run.")
STORAGE_USED = Gauge("rootward_storage_used_bytes", "What the database takes.", ["kind"])
STORAGE_FREE = Gauge(
    "rootward_storage_free_bytes", "What is free where the database's file lies.", ["kind"]
)
STORAGE_SIZE = Gauge(
    "rootward_storage_size_bytes", "Size of the volume where the database's file lies.", ["kind"]
)
DEAD_LETTERS = Counter(
    "rootward_dead_letters_total",
    "Batches, jobs and bodies given up on, by kind.",
    ["kind", "tenant"],
)
LATE_SAMPLES = Counter(
    "rootward_late_samples_total", "Samples stored but too late for the detector.", ["tenant"]
)
DETECT_SECONDS = Histogram("rootward_detect_duration_seconds", "Time to look at one new row.")
INCIDENTS_OPENED = Counter("rootward_incidents_opened_total", "Incidents opened.")
INCIDENTS_RESOLVED = Counter("rootward_incidents_resolved_total", "Incidents resolved.")
DIAGNOSES = Counter("rootward_diagnoses_total", "Diagnoses made, by outcome.", ["outcome"])
DIAGNOSIS_SECONDS = Histogram(
    "rootward_diagnosis_duration_seconds",
    "Time to diagnose an incident.",
    buckets=(0.1, 0.3, 1, 3, 10, 30, 60, 120, 300),
)
ANALYSES = Counter("rootward_analyses_total", "Analyses by methods, by outcome.", ["outcome"])
NOTIFICATIONS = Counter(
    "rootward_notifications_total", "Notifications, by kind of receiver.", ["kind", "outcome"]
)
HTTP_REQUESTS = Counter(
    "rootward_http_requests_total", "Requests answered by API and pages.", ["route", "code"]
)


def counts(counter: Counter, label: str, **only: str) -> dict[str, float]:
    """What a counter of this process stands at, summed by the values of one label.

    Counted is only what has the labels of `only`; what others counted for this process is in it.
    """
    found: dict[str, float] = {}
    for family in counter.collect():
        for sample in (*family.samples, *_everywhere.elsewhere(family.name)):
            if sample.name.endswith("_total") and only.items() <= sample.labels.items():
                value = sample.labels.get(label, "")
                found[value] = found.get(value, 0.0) + sample.value
    return found


Point = tuple[str, str, tuple[tuple[str, str], ...]]
"""A number of a counter or histogram: the metric, the sample's name, its labels."""
Counts = Mapping[Point, float]


def standing() -> dict[Point, float]:
    """What the counters and histograms of this process stand at."""
    return {
        (family.name, sample.name, tuple(sample.labels.items())): sample.value
        for family in REGISTRY.collect()
        if family.name.startswith("rootward_") and family.type in ("counter", "histogram")
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


class _Everywhere(Collector):
    """The metrics of this process, and with them what others counted for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._elsewhere: dict[str, dict[Point, float]] = {}

    def add(self, counts: Counts) -> None:
        """Count what others have counted since they last said."""
        with self._lock:
            for point, value in counts.items():
                known = self._elsewhere.setdefault(point[0], {})
                known[point] = known.get(point, 0.0) + value

    def elsewhere(self, family: str) -> list[Sample]:
        """What others counted of one metric."""
        with self._lock:
            known = dict(self._elsewhere.get(family, {}))
        return [Sample(name, dict(labels), value) for (_, name, labels), value in known.items()]

    def collect(self) -> Iterator[Metric]:
        """Every metric, summed."""
        for family in REGISTRY.collect():
            with self._lock:
                more = dict(self._elsewhere.get(family.name, {}))
            summed = [
                one._replace(
                    value=one.value
                    + more.pop((family.name, one.name, tuple(one.labels.items())), 0.0)
                )
                for one in family.samples
            ]
            summed += [
                Sample(name, dict(labels), value) for (_, name, labels), value in more.items()
            ]
            family.samples = summed
            yield family


_everywhere = _Everywhere()


def add(counts: Counts) -> None:
    """Show in /metrics what processes counted that have none of their own."""
    _everywhere.add(counts)


def exposition() -> tuple[bytes, str]:
    """What /metrics answers: the body and its content type."""
    return generate_latest(_everywhere), CONTENT_TYPE_LATEST


_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


_TOKEN = re.compile(r"rw_[A-Za-z0-9_-]{8,}")


def without_tokens(line: str) -> str:
    """A log line in which nothing has the form of a token; none should, and none gets out."""
    return _TOKEN.sub("rw_…", line)


class _JsonLines(logging.Formatter):
    """One JSON object a line; the fields of `extra` stand beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
        }
        line |= {k: v for k, v in vars(record).items() if k not in _PLAIN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return without_tokens(json.dumps(line, default=str, ensure_ascii=False))


class _TextLines(logging.Formatter):
    """A line for people, fields behind the message."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{k}={v}" for k, v in vars(record).items() if k not in _PLAIN)
        stamp = time.strftime("%H:%M:%S", time.gmtime(record.created))
        line = f"{stamp} {record.levelname.lower():7} {record.getMessage()} {fields}".rstrip()
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        return without_tokens(line + trace)


def set_up_logging(
    level: str, form: Literal["json", "text"], stream: io.TextIOBase | None = None
) -> None:
    """Send all log lines to a stream, else to standard error, in one form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines() if form == "json" else _TextLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("kafka").setLevel(logging.ERROR)
