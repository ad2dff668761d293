"""The ports without a database: in memory, in the caller's thread, on a clock moved by hand."""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rootward.errors import Busy, InsufficientData, InvalidInput, InvalidParameters
from rootward.model.result import Analysis, MethodEntry
from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.ports import (
    DEFAULT_TENANT,
    BatchHandler,
    Clock,
    Everything,
    JobHandler,
    JsonValue,
    Platform,
    SeriesInfo,
    Share,
    WindowQuery,
)
from rootward.testing.fake_access import FakeAccessStore
from rootward.testing.fake_answers import FakeEvents, FakeReplies
from rootward.testing.fake_experiments import FakeExperimentStore
from rootward.testing.fake_graphs import FakeGraphStore
from rootward.testing.fake_incidents import FakeIncidentStore
from rootward.testing.fake_notices import FakeAlertStore, FakeChangeEventStore
from rootward.testing.fake_outcomes import FakeOutcomeStore
from rootward.testing.fake_parts import FakePartStore
from rootward.testing.fake_placements import FakePlacementStore
from rootward.testing.fake_runs import FakeExhibits, FakeFeedbackStore, FakeRunStore
from rootward.testing.fake_tallies import FakeTallyStore


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._now += seconds

    def set(self, unix: float) -> None:
        """Move the clock to a time, back too."""
        self._now = unix


class FakeBus:
    """Hands each batch to the handler in `publish`; what the handler raises comes out there.

    Until it is served, batches wait, as many as `max_backlog`.
    """

    def __init__(self, max_backlog: int = 10_000) -> None:
        self.published: list[SampleBatch] = []
        self._waiting: deque[SampleBatch] = deque()
        self._max_backlog = max_backlog
        self._handler: BatchHandler | None = None

    def publish(self, batch: SampleBatch) -> None:
        """Take a batch and hand it over if there is a handler; raises Busy when full."""
        if len(self._waiting) >= self._max_backlog:
            raise Busy(f"{len(self._waiting)} batches wait, {self._max_backlog} may")
        self.published.append(batch)
        self._waiting.append(batch)
        self._drain()

    def serve(self, handler: BatchHandler) -> None:
        """Hand over what waits, and from now on each batch as it comes."""
        if self._handler is not None:
            raise InvalidInput("this bus is served already")
        self._handler = handler
        self._drain()

    def share(self) -> Share:
        """All of it: nobody else serves this bus."""
        return Everything()

    def backlog(self) -> int:
        """Batches taken and not yet handled."""
        return len(self._waiting)

    def close(self) -> None:
        """Stop handing over."""
        self._handler = None

    def _drain(self) -> None:
        while self._waiting and self._handler is not None:
            self._handler(self._waiting[0])
            self._waiting.popleft()


@dataclass(frozen=True)
class FakeJob:
    """A job that was submitted."""

    name: str
    payload: dict[str, JsonValue]
    run_after_unix: float


class FakeJobs:
    """Keeps jobs until `run_all` runs those that are due; what a handler raises comes out there."""

    def __init__(self, clock: Clock, max_backlog: int = 10_000) -> None:
        self.waiting: list[FakeJob] = []
        self.submitted: list[FakeJob] = []
        self._clock = clock
        self._max_backlog = max_backlog
        self._handlers: Mapping[str, JobHandler] = {}
        self.recurring: dict[str, tuple[float, float]] = {}
        """Seconds between two times of a job, and the next of them."""

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        """Queue a job, unless an equal one waits; raises Busy when full."""
        try:
            plain = json.loads(json.dumps(payload, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InvalidInput(f"the payload of a job must be JSON: {error}") from error
        job = FakeJob(name, plain, self._clock.now() + delay_seconds)
        self.submitted.append(job)
        equal = [
            k for k, old in enumerate(self.waiting) if (old.name, old.payload) == (name, plain)
        ]
        for k in equal:
            earlier = min(self.waiting[k].run_after_unix, job.run_after_unix)
            self.waiting[k] = replace(job, run_after_unix=earlier)
        if not equal:
            if len(self.waiting) >= self._max_backlog:
                raise Busy(f"{len(self.waiting)} jobs wait, {self._max_backlog} may")
            self.waiting.append(job)

    def serve(self, make_handlers: Callable[[], Mapping[str, JobHandler]]) -> None:
        """Take the handlers; nothing runs before `run_all`."""
        self._handlers = make_handlers()

    def every(self, name: str, seconds: float) -> None:
        """Run a job in `run_all` when it is due: now and at every multiple of so many seconds."""
        self.recurring.setdefault(name, (seconds, self._clock.now()))

    def run_all(self) -> int:
        """Run every job that is due, and those that they submit; returns how many ran.

        Raises:
            InvalidParameters: no handler has the name of a job.
        """
        ran = 0
        self._tick()
        while due := [job for job in self.waiting if job.run_after_unix <= self._clock.now()]:
            job = min(due, key=lambda one: one.run_after_unix)
            self.waiting.remove(job)
            if job.name not in self._handlers:
                raise InvalidParameters(f"no job is called {job.name}")
            self._handlers[job.name](**job.payload)
            ran += 1
        return ran

    def _tick(self) -> None:
        now = self._clock.now()
        for name, (seconds, due_unix) in self.recurring.items():
            if due_unix <= now:
                self.recurring[name] = (seconds, (now // seconds + 1) * seconds)
                self.submit(name)

    def backlog(self) -> int:
        """Jobs that wait."""
        return len(self.waiting)

    def close(self) -> None:
        """Forget the handlers."""
        self._handlers = {}


class FakeSampleStore:
    """Samples in lists, read sample by sample: slow, and easy to see to be right."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, Series], dict[int, float]] = {}

    def append(self, batch: SampleBatch) -> None:
        """Store a batch; the first value of a time stays. Raises InvalidInput for no Unix time."""
        if not all(abs(time) <= 9e12 for time in batch.times.tolist()):
            raise InvalidInput("a sample has a time that is no Unix time in seconds")
        columns = (batch.index.tolist(), batch.times.tolist(), batch.values.tolist())
        for k, time, value in zip(*columns, strict=True):
            samples = self._samples.setdefault((batch.tenant, batch.series[k]), {})
            samples.setdefault(round(time * 1e6), value)

    def window(self, query: WindowQuery) -> Window:
        """Samples on a grid; raises InsufficientData where none lies in the window."""
        if query.rows < 1 or not query.step_seconds >= 1e-6:
            raise InvalidInput(f"no window has {query.rows} rows of {query.step_seconds:g} s")
        steps = range(query.rows, -1, -1)
        edges = [query.end_unix - k * query.step_seconds for k in steps]
        columns = {
            one: column
            for one in sorted(self._wanted(query))
            if any(map(math.isfinite, column := self._column(query.tenant, one, edges)))
        }
        if not columns:
            raise InsufficientData(f"no sample between {edges[0]:.3f} and {edges[-1]:.3f}")
        values = np.array(list(columns.values())).T
        return Window(tuple(columns), np.array(edges[1:]), values, query.step_seconds)

    def series(self, tenant: str = DEFAULT_TENANT) -> tuple[SeriesInfo, ...]:
        """Every series known, in order of `Series`."""
        known = sorted(one for owner, one in self._samples if owner == tenant)
        return tuple(SeriesInfo(one, max(self._samples[tenant, one]) / 1e6) for one in known)

    def tenants(self) -> tuple[str, ...]:
        """Whose series are known, by name."""
        return tuple(sorted({owner for owner, _ in self._samples}))

    def latest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the newest sample, or None."""
        return max((info.last_unix for info in self.series(tenant)), default=None)

    def oldest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the oldest sample, or None."""
        kept = [times for (owner, _), times in self._samples.items() if owner == tenant]
        return min((time / 1e6 for times in kept for time in times), default=None)

    def expire(self, before_unix: float) -> int:
        """Forget the samples older than a time; returns how many."""
        before, gone = round(before_unix * 1e6), 0
        for key, samples in list(self._samples.items()):
            kept = {time: value for time, value in samples.items() if time >= before}
            gone += len(samples) - len(kept)
            self._samples[key] = kept
            if not kept:
                del self._samples[key]
        return gone

    def check(self) -> None:
        """Nothing can fail."""

    def _wanted(self, query: WindowQuery) -> Iterator[Series]:
        for tenant, one in self._samples:
            asked = query.series is None or one in query.series
            served = query.services is None or one.service in query.services
            if tenant == query.tenant and asked and served:
                yield one

    def _column(self, tenant: str, one: Series, edges: Sequence[float]) -> list[float]:
        marks = [round(edge * 1e6) for edge in edges]
        column = [math.nan] * (len(marks) - 1)
        for time, value in sorted(self._samples[tenant, one].items()):
            row = bisect_left(marks, time) - 1
            if 0 <= row < len(column):
                column[row] = value
        return column


class FakeResultStore:
    """Analyses and the catalogue in dictionaries."""

    def __init__(self) -> None:
        self._analyses: dict[tuple[str, str, str, str], Analysis] = {}
        self._catalogue: tuple[MethodEntry, ...] = ()

    def save(self, analysis: Analysis, tenant: str = DEFAULT_TENANT) -> None:
        """Store an analysis; one of the same incident, method and parameters is replaced."""
        key = (tenant, analysis.incident_id, analysis.method, analysis.parameters)
        self._analyses[key] = analysis

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Analysis, ...]:
        """All analyses of an incident, by method name."""
        mine = (a for key, a in self._analyses.items() if key[:2] == (tenant, incident_id))
        return tuple(sorted(mine, key=lambda a: (a.method, a.parameters)))

    def save_catalogue(self, entries: Sequence[MethodEntry]) -> None:
        """Replace the catalogue."""
        self._catalogue = tuple(sorted(entries, key=lambda entry: entry.name))

    def catalogue(self) -> tuple[MethodEntry, ...]:
        """Every method that the workers can run, by name."""
        return self._catalogue


class FakeQuarantine:
    """Bodies with their reason, and how often they came."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, bytes], tuple[str, int]] = {}

    def keep(self, source: str, body: bytes, reason: str, tenant: str = DEFAULT_TENANT) -> int:
        """Store a body and why it failed; returns how often it has, this time included."""
        _, times = self.kept.get((tenant, source, body), ("", 0))
        self.kept[tenant, source, body] = (reason, times + 1)
        return times + 1


def fake_platform(clock: Clock | None = None) -> Platform:
    """A platform of fakes; without a clock it has a ManualClock."""
    chosen = clock or ManualClock()
    events = FakeEvents(chosen)
    incidents = FakeIncidentStore(chosen, events)
    return Platform(
        bus=FakeBus(),
        jobs=FakeJobs(chosen),
        samples=FakeSampleStore(),
        incidents=incidents,
        results=FakeResultStore(),
        alerts=FakeAlertStore(incidents.with_absorbed),
        change_events=FakeChangeEventStore(),
        quarantine=FakeQuarantine(),
        access=FakeAccessStore(),
        events=events,
        replies=FakeReplies(chosen),
        runs=FakeRunStore(events),
        feedback=FakeFeedbackStore(incidents),
        exhibits=FakeExhibits(chosen),
        parts=FakePartStore(chosen),
        placements=FakePlacementStore(),
        experiments=FakeExperimentStore(),
        outcomes=FakeOutcomeStore(incidents),
        graphs=FakeGraphStore(),
        tallies=FakeTallyStore(),
        clock=chosen,
    )
