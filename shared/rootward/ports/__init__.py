"""The outside world, as the core sees it: its ports, and the Platform that holds one of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.access.store import AccessStore
from rootward.model.result import Analysis, MethodEntry
from rootward.model.series import SampleBatch, Series
from rootward.model.tenant import DEFAULT_TENANT as DEFAULT_TENANT
from rootward.model.window import Window
from rootward.ports.answers import Events as Events
from rootward.ports.answers import Exhibits as Exhibits
from rootward.ports.answers import FeedbackStore as FeedbackStore
from rootward.ports.answers import Notifier as Notifier
from rootward.ports.answers import Replies as Replies
from rootward.ports.answers import RunStore as RunStore
from rootward.ports.answers import Storage as Storage
from rootward.ports.experiments import ExperimentStore as ExperimentStore
from rootward.ports.graphs import GraphStore as GraphStore
from rootward.ports.graphs import GraphVersionPage as GraphVersionPage
from rootward.ports.incidents import IncidentPage as IncidentPage
from rootward.ports.incidents import IncidentStore as IncidentStore
from rootward.ports.letters import DeadLetter as DeadLetter
from rootward.ports.letters import DeadLetters as DeadLetters
from rootward.ports.letters import Quarantine as Quarantine
from rootward.ports.notices import AlertPage as AlertPage
from rootward.ports.notices import AlertStore as AlertStore
from rootward.ports.notices import ChangeEventPage as ChangeEventPage
from rootward.ports.notices import ChangeEventStore as ChangeEventStore
from rootward.ports.outcomes import OutcomeStore as OutcomeStore
from rootward.ports.parts import PartStore as PartStore
from rootward.ports.placements import PlacementStore as PlacementStore
from rootward.ports.tallies import TallyStore as TallyStore

JsonValue = str | int | float | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
BatchHandler = Callable[[SampleBatch], None]
JobHandler = Callable[..., None]
"""Takes the payload of `Jobs.submit` as keyword arguments."""


@runtime_checkable
class Clock(Protocol):
    """Tells the time; tests and replays move it themselves."""

    def now(self) -> float:
        """Unix seconds."""
        ...


@runtime_checkable
class Share(Protocol):
    """The services whose batches come to one process; equal shares hold the same services."""

    def has(self, tenant: str, service: str) -> bool:
        """Whether batches of this service come here."""
        ...


@dataclass(frozen=True)
class Everything:
    """The share of a process that is alone."""

    def has(self, tenant: str, service: str) -> bool:
        """Yes."""
        return True


@runtime_checkable
class Bus(Protocol):
    """Carries sample batches: at least once, in order per service."""

    def publish(self, batch: SampleBatch) -> None:
        """Take a batch; once this returns, the batch survives a crash of the process.

        Raises:
            Busy: the bus is full; nothing was taken.
            Unavailable: the bus does not answer; nothing is promised.
        """
        ...

    def serve(self, handler: BatchHandler) -> None:
        """Start handing batches to `handler` in the background; returns at once.

        A batch is done when the handler returns. One that the handler fails on is tried again,
        and goes to the dead letters with the reason after a bounded number of tries.
        """
        ...

    def share(self) -> Share:
        """What comes to this process just now; another one once partitions have moved."""
        ...

    def backlog(self) -> int:
        """Batches taken and not yet handled."""
        ...

    def close(self) -> None:
        """Finish the batch in hand, stop serving and let go of everything; idempotent."""
        ...


@runtime_checkable
class Jobs(Protocol):
    """Runs named jobs later: at least once. Payloads are JSON."""

    def submit(self, name: str, *, delay_seconds: float = 0.0, **payload: JsonValue) -> None:
        """Queue a job; once this returns, the job survives a crash of the process.

        A job equal in name and payload to one that still waits is the same job.

        Raises:
            Busy: the queue is full; nothing was taken.
            Unavailable: the queue does not answer.
        """
        ...

    def every(self, name: str, seconds: float) -> None:
        """Run a job without payload now and at every multiple of so many seconds.

        It runs once at each of these times, however many processes ask for it, for as long as
        one of them serves jobs. Times that nobody served are not made up for.
        """
        ...

    def serve(self, make_handlers: Callable[[], Mapping[str, JobHandler]]) -> None:
        """Start running jobs in the background; returns at once.

        The factory is called in each process (or thread) that runs jobs. A job that was given up
        on is told to the handler `given_up`, where there is one: `job`, `reason`, `payload`.
        """
        ...

    def backlog(self) -> int:
        """Jobs that wait or run."""
        ...

    def close(self) -> None:
        """Finish the job in hand, stop serving; idempotent."""
        ...


@dataclass(frozen=True)
class WindowQuery:
    """Which rows and series to read: the grid is `start_unix` < t <= `end_unix` in steps."""

    end_unix: float
    """Time of the last row."""
    rows: int
    step_seconds: float
    tenant: str = DEFAULT_TENANT
    services: frozenset[str] | None = None
    """Only series of these services; None means all."""
    series: frozenset[Series] | None = None
    """Only these series; None means all."""


@dataclass(frozen=True)
class SeriesInfo:
    """A series that the store knows, and when it was last measured."""

    series: Series
    last_unix: float


@runtime_checkable
class SampleStore(Protocol):
    """A rolling window of samples."""

    def append(self, batch: SampleBatch) -> None:
        """Store a batch; idempotent by (series, time): the first value of a time stays."""
        ...

    def window(self, query: WindowQuery) -> Window:
        """Samples on a grid: a row holds the last sample of (t - step, t], NaN where none is.

        Series without a sample in the window are left out; series stand in order of `Series`.

        Raises:
            InsufficientData: no sample lies in the window.
        """
        ...

    def series(self, tenant: str = DEFAULT_TENANT) -> tuple[SeriesInfo, ...]:
        """Every series known, in order of `Series`."""
        ...

    def tenants(self) -> tuple[str, ...]:
        """Whose series are known, by name; where that cannot be asked, the one of all data."""
        ...

    def latest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the newest sample, or None."""
        ...

    def oldest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """A time that no sample is older than; None where that is not known."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete whole chunks older than a time; returns how many went."""
        ...

    def check(self) -> None:
        """Raise Unavailable with the reason unless samples can be written and read."""
        ...


@runtime_checkable
class ResultStore(Protocol):
    """Analyses of incidents, and the catalogue of methods."""

    def save(self, analysis: Analysis, tenant: str = DEFAULT_TENANT) -> None:
        """Store an analysis; idempotent by (incident, method, parameters)."""
        ...

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Analysis, ...]:
        """All analyses of an incident, by method name."""
        ...

    def save_catalogue(self, entries: Sequence[MethodEntry]) -> None:
        """Replace the catalogue."""
        ...

    def catalogue(self) -> tuple[MethodEntry, ...]:
        """Every method that the workers can run, by name."""
        ...


@dataclass(frozen=True)
class Platform:
    """One of each port; services get it as their argument and never build one."""

    bus: Bus
    jobs: Jobs
    samples: SampleStore
    incidents: IncidentStore
    results: ResultStore
    alerts: AlertStore
    change_events: ChangeEventStore
    quarantine: Quarantine
    access: AccessStore
    events: Events
    replies: Replies
    runs: RunStore
    feedback: FeedbackStore
    exhibits: Exhibits
    parts: PartStore
    placements: PlacementStore
    experiments: ExperimentStore
    outcomes: OutcomeStore
    graphs: GraphStore
    tallies: TallyStore
    clock: Clock
    closing: tuple[Callable[[], None], ...] = ()
    """What to let go of once bus and jobs have stopped."""
    dead_letters: tuple[DeadLetters, ...] = ()
    """Of the database and, where it keeps its own, of the bus."""
    stored_elsewhere: bool = False
    """Whether what the bus brings was read from `samples`, which others fill."""
    step_seconds: float = 15.0
    """Distance between rows."""
    storage: Callable[[], Storage] | None = None
    """Tells of the room of the database; None where there is none."""
    notifier: Notifier | None = None
    """Tells others what happens; None where nobody wants to know."""

    def close(self) -> None:
        """Stop the bus and the jobs, then let go of the rest; idempotent."""
        self.bus.close()
        self.jobs.close()
        if self.notifier is not None:
            self.notifier.close()
        for let_go in self.closing:
            let_go()
