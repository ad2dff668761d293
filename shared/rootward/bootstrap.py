"""build(settings) → Platform: the only place that chooses adapters, by URL scheme alone."""

from __future__ import annotations

import socket
from functools import partial

from rootward.adapters.clock import SystemClock
from rootward.adapters.embedded import EmbeddedBus
from rootward.adapters.notify.notifier import Notifier
from rootward.adapters.notify.targets import read as read_targets
from rootward.adapters.promql_samples import PromqlSampleStore
from rootward.adapters.pulled_bus import PulledBus
from rootward.adapters.sql.access import SqlAccessStore
from rootward.adapters.sql.arrivals import Arrivals
from rootward.adapters.sql.engine import Database, open_database
from rootward.adapters.sql.events import SqlEvents
from rootward.adapters.sql.exhibits import SqlExhibits
from rootward.adapters.sql.experiments import SqlExperimentStore
from rootward.adapters.sql.feedback import SqlFeedbackStore
from rootward.adapters.sql.graphs import SqlGraphStore
from rootward.adapters.sql.incidents import SqlIncidentStore
from rootward.adapters.sql.job_queue import SqlJobQueue
from rootward.adapters.sql.letters import SqlDeadLetters
from rootward.adapters.sql.migrations import migrate
from rootward.adapters.sql.notices import SqlAlertStore, SqlChangeEventStore
from rootward.adapters.sql.outbox import Post, SqlOutbox
from rootward.adapters.sql.outcomes import SqlOutcomeStore
from rootward.adapters.sql.parts import SqlPartStore
from rootward.adapters.sql.placements import SqlPlacementStore
from rootward.adapters.sql.quarantine import SqlQuarantine
from rootward.adapters.sql.queues import SqlBatchQueue
from rootward.adapters.sql.replies import SqlReplies
from rootward.adapters.sql.runs import SqlRunStore
from rootward.adapters.sql.samples import SqlSampleStore
from rootward.adapters.sql.storage import storage_of
from rootward.adapters.sql.stores import SqlResultStore
from rootward.adapters.sql.tallies import SqlTallyStore
from rootward.adapters.thread_jobs import ThreadJobs
from rootward.errors import InvalidConfiguration
from rootward.ports import Bus, Clock, DeadLetters, Jobs, Platform
from rootward.settings import Settings

_KAFKA = ("kafka", "kafka+tls")


def build(settings: Settings, clock: Clock | None = None) -> Platform:
    """A platform on its URLs, with the database created and its tables up to date.

    Nothing runs yet: `serve` on bus and jobs starts them. Without a clock it is the system's.

    Raises:
        InvalidConfiguration: a URL that is not supported; the text says which and what is.
        Unavailable: the database does not answer.
    """
    _check_schemes(settings)
    _check_scraping(settings)
    chosen = clock or SystemClock()
    elsewhere = PromqlSampleStore(settings.samples_url) if settings.samples_url else None
    database = open_database(settings.database_url)
    migrate(database)
    arrivals = Arrivals(database)
    targets = read_targets(settings.notify_file) if settings.notify_file else ()
    return Platform(
        bus=_bus(settings, arrivals, chosen, elsewhere),
        jobs=_jobs(settings, database, chosen),
        samples=elsewhere or SqlSampleStore(database, arrivals),
        incidents=SqlIncidentStore(database, chosen, Post(targets, settings.public_url)),
        results=SqlResultStore(database),
        alerts=SqlAlertStore(database),
        change_events=SqlChangeEventStore(database),
        quarantine=SqlQuarantine(database, chosen),
        access=SqlAccessStore(database),
        events=SqlEvents(database, chosen),
        replies=SqlReplies(database, chosen),
        runs=SqlRunStore(database, chosen),
        feedback=SqlFeedbackStore(database),
        exhibits=SqlExhibits(database, chosen),
        parts=SqlPartStore(database, chosen),
        placements=SqlPlacementStore(database),
        experiments=SqlExperimentStore(database),
        outcomes=SqlOutcomeStore(database),
        graphs=SqlGraphStore(database),
        tallies=SqlTallyStore(database),
        clock=chosen,
        dead_letters=_dead_letters(settings, database),
        closing=(database.close, *((elsewhere.close,) if elsewhere else ())),
        stored_elsewhere=elsewhere is not None,
        step_seconds=settings.step_seconds,
        storage=partial(storage_of, database),
        notifier=Notifier(SqlOutbox(database), targets, chosen) if targets else None,
    )


def check_shared(settings: Settings) -> None:
    """Raise InvalidConfiguration unless services in processes of their own find each other."""
    if _scheme(settings.database_url).startswith("sqlite"):
        raise InvalidConfiguration(
            "ROOTWARD_DATABASE_URL is a SQLite file, which one process serves alone: "
            "use `rootward up`, or postgresql+psycopg://HOST/NAME"
        )


def celery_app(settings: Settings) -> object:
    """What Celery's own commands look at: the application on the jobs URL.

    Raises:
        InvalidConfiguration: the jobs URL names no broker.
    """
    from rootward.adapters.celery_app import make_app

    return make_app(settings.jobs_url)


def _check_schemes(settings: Settings) -> None:
    if _scheme(settings.bus_url) not in ("embedded", *_KAFKA):
        raise InvalidConfiguration(
            f"ROOTWARD_BUS_URL has the scheme {_scheme(settings.bus_url)}; "
            "allowed: embedded://, kafka://, kafka+tls://"
        )
    jobs = _scheme(settings.jobs_url)
    if jobs != "thread" and not jobs.startswith("celery+"):
        raise InvalidConfiguration(
            f"ROOTWARD_JOBS_URL has the scheme {jobs}; allowed: thread://, celery+redis://, "
            "celery+amqp://"
        )


def _check_scraping(settings: Settings) -> None:
    if settings.samples_url and settings.scrape_file:
        raise InvalidConfiguration(
            "ROOTWARD_SCRAPE_FILE scrapes into our own store, but ROOTWARD_SAMPLES_URL names "
            "another one; leave one of them empty"
        )


def _scheme(url: str) -> str:
    scheme, found, _ = url.partition("://")
    return scheme if scheme and found else "(none)"


def _bus(
    settings: Settings, arrivals: Arrivals, clock: Clock, elsewhere: PromqlSampleStore | None
) -> Bus:
    if elsewhere is not None:
        return PulledBus(elsewhere, clock, settings.step_seconds, refusal=elsewhere.refusal)
    if _scheme(settings.bus_url) in _KAFKA:
        return _kafka_bus(settings)
    queue = SqlBatchQueue(arrivals.database, clock, arrivals)
    return EmbeddedBus(queue, settings.max_backlog)


def _kafka_bus(settings: Settings) -> Bus:
    """The bus at a kafka:// URL; its client is loaded only then."""
    from rootward.adapters.kafka.bus import KafkaBus
    from rootward.adapters.kafka.cluster import Cluster
    from rootward.adapters.kafka.reading import Membership

    member = Membership(settings.instance or socket.gethostname())
    return KafkaBus(Cluster.of(settings.bus_url), settings.max_backlog, member)


def _dead_letters(settings: Settings, database: Database) -> tuple[DeadLetters, ...]:
    if _scheme(settings.bus_url) not in _KAFKA:
        return (SqlDeadLetters(database),)
    from rootward.adapters.kafka.cluster import Cluster
    from rootward.adapters.kafka.letters import KafkaDeadLetters

    return (SqlDeadLetters(database), KafkaDeadLetters(Cluster.of(settings.bus_url)))


def _jobs(settings: Settings, database: Database, clock: Clock) -> Jobs:
    if _scheme(settings.jobs_url) == "thread":
        queue = SqlJobQueue(database, clock)
        return ThreadJobs(queue, settings.max_backlog, workers=settings.workers)
    return _celery_jobs(settings, clock)


def _celery_jobs(settings: Settings, clock: Clock) -> Jobs:
    """The jobs at a celery+ URL; Celery is loaded only then."""
    from rootward.adapters.celery_app import make_app
    from rootward.adapters.celery_jobs import CeleryJobs
    from rootward.adapters.celery_workers import Means, Working

    means = Means(
        lambda: SqlJobQueue(open_database(settings.database_url), clock),
        lambda: make_app(settings.jobs_url, memory_bytes=settings.worker_memory_bytes),
        settings.max_backlog,
    )
    return CeleryJobs(means, Working(processes=settings.workers))
