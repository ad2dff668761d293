"""Pulls Prometheus targets on an interval and feeds intake."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import numpy as np

from rootward import telemetry
from rootward.errors import Busy, TooLarge, Unavailable, UnreadableBody
from rootward.model.series import METRIC_NAME
from rootward.ports import Clock, Platform
from rootward_ingest.exposition import Exposition, LabelSet
from rootward_ingest.intake import Intake, Limits, Readings
from rootward_ingest.targets import Target, TargetFile

log = logging.getLogger(__name__)

MAX_TIMEOUT_SECONDS = 10.0
"""How long a target may take, or one interval if that is shorter."""
MAX_AT_ONCE = 16
"""Targets that are scraped at the same time."""
_HEADERS = {"Accept": "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"}


class Scraper:
    """Scrapes the targets of a file_sd file, as Prometheus would.

    Every sample of a scrape carries the time at which the scrape began. A target has the series
    `up` (1 or 0) and `scrape_duration_seconds`; a series that it no longer exposes, and all of
    its series once it is unreachable or gone from the file, end with a NaN.

    Pass the `intake` that the routes of the same process use, so that both count the same series.
    """

    def __init__(
        self,
        platform: Platform,
        limits: Limits,
        file: Path,
        interval_seconds: float,
        *,
        intake: Intake | None = None,
    ) -> None:
        self._file = TargetFile(file)
        self._clock = platform.clock
        self._interval = interval_seconds
        self._intake = intake or Intake(platform, limits)
        self._client = httpx.Client(
            headers=_HEADERS,
            timeout=min(MAX_TIMEOUT_SECONDS, interval_seconds),
            follow_redirects=True,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=256),
        )
        self._pool = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="scrape")
        self._pulls: dict[Target, Pull] = {}
        self._running: dict[Target, Future[None]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)

    def start(self) -> None:
        """Begin to scrape, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End after the scrapes in hand; idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def scrape_once(self) -> None:
        """Scrape every target of the file once and wait for the last one."""
        wait(self._begin())

    def _run(self) -> None:
        while not self._stop.wait(_until_next(self._clock.now(), self._interval)):
            _surviving(self._begin)

    def _begin(self) -> list[Future[None]]:
        targets = self._file.targets()
        begun = [self._submit(pull.retire) for pull in self._no_longer(targets)]
        for target in targets:
            before = self._running.get(target)
            if before is not None and not before.done():
                telemetry.SCRAPES.labels("skipped").inc()
                continue
            pull = self._pulls.get(target) or self._new_pull(target)
            self._running[target] = self._submit(pull.pull)
            begun.append(self._running[target])
        return begun

    def _new_pull(self, target: Target) -> Pull:
        timeout = min(MAX_TIMEOUT_SECONDS, self._interval)
        pull = Pull(target, self._client, self._intake, self._clock, timeout)
        self._pulls[target] = pull
        return pull

    def _no_longer(self, targets: Iterable[Target]) -> list[Pull]:
        gone = self._pulls.keys() - set(targets)
        for target in gone:
            self._running.pop(target, None)
        return [self._pulls.pop(target) for target in gone]

    def _submit(self, work: Callable[[], object]) -> Future[None]:
        return self._pool.submit(_surviving, work)


class Pull:
    """The scrapes of one target, and which series it had."""

    def __init__(
        self,
        target: Target,
        client: httpx.Client,
        intake: Intake,
        clock: Clock,
        timeout_seconds: float,
    ) -> None:
        self._target = target
        self._client = client
        self._intake = intake
        self._clock = clock
        self._timeout = timeout_seconds
        self._exposition = Exposition(target.labels, 2 * intake.limits.max_samples)
        self._series: set[LabelSet] = set()
        self._up: bool | None = None
        self._lock = threading.Lock()

    def pull(self) -> None:
        """Scrape once and publish what came, `up`, and the end of what did not come any more."""
        with self._lock:
            now, started = self._clock.now(), time.perf_counter()
            found = self._found()
            up, samples = found is not None, found or []
            seconds = time.perf_counter() - started
            present = {labels for labels, _ in samples}
            ended = [(labels, math.nan) for labels in self._series - present]
            about = [(self._own("up"), float(up)), (self._own("scrape_duration_seconds"), seconds)]
            if self._publish([*samples, *ended, *about], now, len(ended)):
                self._series = present
                telemetry.SCRAPES.labels("ok" if up else "failed").inc()
            else:
                self._series |= present

    def retire(self) -> None:
        """Publish the end of all series; the target is gone from the file."""
        with self._lock:
            ended = {*self._series, self._own("up"), self._own("scrape_duration_seconds")}
            samples = [(labels, math.nan) for labels in ended]
            self._publish(samples, self._clock.now(), len(samples))

    def _found(self) -> list[tuple[LabelSet, float]] | None:
        """What the target exposes, or None and a log line where it does not answer properly."""
        try:
            samples = self._exposition.read(*self._fetched())
        except (httpx.HTTPError, httpx.InvalidURL, UnreadableBody, TooLarge) as error:
            if self._up is not False:
                reason = str(error) or type(error).__name__
                log.warning("target down", extra={"target": self._target.url, "reason": reason})
            self._up = False
            return None
        if self._up is False:
            log.info("target up", extra={"target": self._target.url})
        self._up = True
        return samples

    def _fetched(self) -> tuple[str, str]:
        """The answer and its media type; bounded in size, and in time as a whole."""
        deadline = time.monotonic() + self._timeout
        limit = self._intake.limits.max_body_bytes
        body = bytearray()
        with self._client.stream("GET", self._target.url) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > limit:
                    raise TooLarge(f"answer is larger than {limit} bytes")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"answer took over {self._timeout:g} s")
            media = response.headers.get("content-type", "")
        try:
            return body.decode(), media
        except UnicodeDecodeError as error:
            raise UnreadableBody(f"not UTF-8: {error}") from error

    def _publish(self, samples: list[tuple[LabelSet, float]], now: float, ended: int) -> bool:
        values = np.array([value for _, value in samples], dtype=np.float64)
        slots = self._intake.known.of_spans("scrape", [labels for labels, _ in samples], list)
        assert slots is not None  # `list` never gives None
        readings = Readings(slots, np.full(len(samples), now), values, stale=ended)
        try:
            self._intake.accept(readings, "scrape")
        except (Busy, Unavailable) as error:
            telemetry.SCRAPES.labels("refused").inc()
            facts = {"target": self._target.url, "reason": str(error)}
            log.warning("scrape lost, bus refused it", extra=facts)
            return False
        return True

    def _own(self, metric: str) -> LabelSet:
        return ((METRIC_NAME, metric), *self._target.labels)


def _surviving(work: Callable[[], object]) -> None:
    """Run one scrape; a bug in it must not end the others."""
    try:
        work()
    except Exception:
        telemetry.SCRAPES.labels("crashed").inc()
        log.exception("scrape crashed")


def _until_next(now: float, interval: float) -> float:
    """Seconds until the next scrape, in the middle between two multiples of the interval.

    Rows end at multiples of the step: where that is the interval, each row gets one sample
    although scrapes are never quite on time.
    """
    delay = (interval / 2 - now) % interval
    return delay if delay > interval / 4 else delay + interval
