"""What every service measures about itself, and the page that shows it."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_WAIT_BUCKETS = (0.001, 0.01, 0.1, 1.0)


class Measures:
    """The metrics of one service, in a registry of their own.

    Series that may appear late, such as the first error, exist from the start at 0.
    """

    def __init__(self, dependencies: tuple[str, ...]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.duration = self._histogram(
            "http_request_duration_seconds", "Time to answer a request.", ("handler",)
        )
        self.requests = Counter(
            "http_requests_total", "Requests answered.", ["code"], registry=self.registry
        )
        self.errors = Counter(
            "http_request_errors_total", "Requests answered with a 5xx.", registry=self.registry
        )
        self.in_flight = Gauge(
            "http_requests_in_flight",
            "Requests taken and not yet answered.",
            registry=self.registry,
        )
        self.queue_wait = self._histogram(
            "http_request_queue_wait_seconds", "Wait for a free worker.", buckets=_WAIT_BUCKETS
        )
        self.lock_wait = self._histogram(
            "lock_wait_seconds", "Wait for the lock on the service's state.", buckets=_WAIT_BUCKETS
        )
        self.requests.labels("200")
        if dependencies:
            self._measure_calls(dependencies)

    def _measure_calls(self, dependencies: tuple[str, ...]) -> None:
        self.call_duration = self._histogram(
            "http_client_request_duration_seconds",
            "Time of a call, failed or not.",
            ("dependency",),
        )
        self.call_errors = Counter(
            "http_client_request_errors_total",
            "Calls that failed or were not answered in time.",
            ["dependency"],
            registry=self.registry,
        )
        for name in dependencies:
            self.call_duration.labels(name)
            self.call_errors.labels(name)

    def query_duration(self) -> Histogram:
        """The histogram of a service that keeps its state in SQLite."""
        return self._histogram(
            "sqlite_query_duration_seconds", "Time of a statement, commit included.", ("operation",)
        )

    def _histogram(
        self,
        name: str,
        text: str,
        labels: tuple[str, ...] = (),
        *,
        buckets: tuple[float, ...] = _BUCKETS,
    ) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def answered(self, handler: str, status: int, seconds: float) -> None:
        """Count one request."""
        self.duration.labels(handler).observe(seconds)
        self.requests.labels(str(status)).inc()
        if status >= 500:
            self.errors.inc()

    def page(self) -> bytes:
        """What /metrics answers, in the text format 0.0.4."""
        return generate_latest(self.registry)
