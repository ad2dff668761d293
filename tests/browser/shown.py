"""Servers to look at: the dashboard on real storage, in each state that a page has a design for."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rootward import __version__, bootstrap
from rootward.errors import Unavailable
from rootward.model.graph import CausalGraph
from rootward.model.graph_version import DriftNotice, GraphVersion, Reason
from rootward.model.incident import Band, Incident, Severity, Status
from rootward.model.placement import Backend, PlacedPod, Placement
from rootward.model.series import Sample, SampleBatch, Series
from rootward.model.tally import Tally
from rootward.model.tenant import DEFAULT_TENANT
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing.fakes import ManualClock
from rootward_cli import admission
from rootward_cli.up import listening_on, serving
from rootward_cli.working import worker_options
from rootward_dashboard.app import create_app
from rootward_worker.explaining import tell_first, tell_step
from rootward_worker.start import start_jobs
from tests.services import made_up_incident as shop

OLDER = 130


@dataclass(frozen=True)
class Shown:
    """A dashboard that answers at `url`, and what is behind it."""

    url: str
    platform: Platform
    clock: ManualClock


def filled(folder: Path, fill: Callable[[Platform], object]) -> None:
    """Fill the database of a folder, for servers that start from a copy of it."""
    platform = bootstrap.build(_settings(folder), ManualClock(shop.NOW))
    try:
        fill(platform)
    finally:
        platform.close()


def _settings(folder: Path, **more: Any) -> Settings:
    return Settings(database_url=f"sqlite:///{folder / 'shown.db'}", port=0, **more)


def nothing(platform: Platform) -> None:
    """No sample came yet."""


@contextmanager
def shown(
    fill: Callable[[Platform], object] = nothing, *, stored: Path | None = None, **more: Any
) -> Iterator[Shown]:
    """The dashboard with its jobs on a database of its own, filled before it answers.

    It begins as a copy of the folder `stored`, where there is one; `more` are settings.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if stored is not None:
            shutil.copytree(stored, folder, dirs_exist_ok=True)
        clock = ManualClock(shop.NOW)
        settings = _settings(folder, **more)
        platform = bootstrap.build(settings, clock)
        stack.callback(platform.close)
        fill(platform)
        gate = admission.gate(settings, platform, "127.0.0.1")
        # before jobs: FastAPI sets warning filters meanwhile
        app = create_app(platform, gate=gate)
        start_jobs(platform.jobs, lambda: platform, worker_options(settings))
        sock = stack.enter_context(listening_on("127.0.0.1", 0))
        stack.enter_context(serving(app, sock))
        yield Shown(f"http://127.0.0.1:{sock.getsockname()[1]}", platform, clock)


def unusable(platform: Platform) -> None:
    """Somebody sends, and all of it is refused."""
    now = shop.NOW
    refused = Tally("ingest@node-1:17", "ingest", __version__, now - 60, now - 4)
    platform.tallies.put({DEFAULT_TENANT: replace(refused, rejected={"too_old": 1240})})


def quiet(platform: Platform) -> None:
    """Samples come, no incident opened, and a deploy changed what a service follows."""
    _samples(platform, shop.NOW)
    _processes(platform)
    _drifted(platform)


def silent(platform: Platform) -> None:
    """One of the processes that take samples in fell silent; some samples were refused."""
    quiet(platform)
    _processes(platform, told_unix=shop.NOW - 260, rejected={"too_old": 1240, "series_limit": 88})


def one(platform: Platform, **diagnosis: object) -> Incident:
    """One incident with everything."""
    _samples(platform, shop.NOW)
    _processes(platform)
    _cluster(platform)
    platform.results.save_catalogue(shop.catalogue())
    opened = platform.incidents.open(shop.incident())
    platform.incidents.save(opened.id, shop.diagnosis(**diagnosis))
    for analysis in shop.analyses():
        platform.results.save(analysis)
    return opened


def many(platform: Platform) -> None:
    """More incidents than a page holds, of every severity, the newest one with everything."""
    for number in range(OLDER):
        opened = platform.incidents.open(
            shop.older(number, Status.RESOLVED if number < OLDER - 4 else Status.OPEN)
        )
        if number % 4:
            band = list(Band)[number % 4]
            diagnosis = shop.diagnosis(band=band, abstained=band is Band.NONE)
            platform.incidents.save(opened.id, diagnosis)
        else:
            platform.incidents.fail(opened.id, "window has 40 rows, 120 are needed")
    one(platform)


_DAY = (
    ("checkout latency_p99_seconds is 6 times its baseline", "payment", Band.HIGH, "critical", 4.0),
    ("cart error_ratio rose from 0 % to 3 %", "redis-cart", Band.MEDIUM, "warning", 9.5),
    ("search latency_p99_seconds is 3 times its baseline", "catalog", Band.NONE, "warning", 15.0),
    ("frontend request_rate fell by half", "ingress", Band.MEDIUM, "info", 21.0),
    ("shipping latency_p99_seconds doubled", "orders-db", Band.LOW, "warning", 28.0),
    ("email queue_depth grew to 12 k", "email", Band.HIGH, "info", 40.0),
)


def several(platform: Platform) -> None:
    """Two days of a small shop: what README shows."""
    for title, cause, band, severity, hours in reversed(_DAY):
        onset = shop.NOW - 3600.0 * hours
        made = shop.incident(
            id=f"past-{hours:.1f}",
            title=title,
            severity=Severity(severity),
            status=Status.RESOLVED,
            onset_unix=onset,
            opened_unix=onset + 75,
            resolved_unix=onset + 900 + 120 * hours,
        )
        opened = platform.incidents.open(made)
        first = replace(shop.candidates()[0], service=cause)
        diagnosis = shop.diagnosis(
            band=band, abstained=band is Band.NONE, candidates=(first, *shop.candidates()[1:])
        )
        platform.incidents.save(opened.id, diagnosis)
    one(platform)


def pending(platform: Platform) -> Incident:
    """The diagnosis is on its way."""
    _samples(platform, shop.NOW)
    return platform.incidents.open(shop.incident())


def running(platform: Platform) -> None:
    """The diagnosis has ranked the services once, and learns the graph."""
    incident = pending(platform)
    tell_step(platform, incident, "frame")
    tell_step(platform, incident, "onset")
    tell_first(platform, incident, shop.candidates())


def failed(platform: Platform) -> None:
    """The diagnosis failed."""
    _samples(platform, shop.NOW)
    opened = platform.incidents.open(shop.incident())
    platform.incidents.fail(opened.id, "window has 40 rows, 120 are needed; widen the window")


def abstained(platform: Platform) -> None:
    """Nothing clears the bar."""
    words = "No confident cause: orders-db and orders stand within 3 % of each other."
    one(platform, abstained=True, band=Band.NONE, confidence=0.21, likely=(), conclusion=words)


def learning(platform: Platform) -> None:
    """Samples of three minutes: too few rows to know what is normal."""
    times = [shop.NOW - 15.0 * k for k in range(12)]
    samples = [Sample(series, time, 1.0) for series in shop.EVERY for time in times]
    platform.samples.append(SampleBatch.of(samples))


def degraded(platform: Platform) -> None:
    """A part does not answer."""
    one(platform)

    def full() -> None:
        raise Unavailable("the disk is full: 0 bytes left")

    platform.samples.check = full  # type: ignore[method-assign]


def stale(platform: Platform) -> None:
    """The last sample is old."""
    _samples(platform, shop.NOW - 600)
    opened = platform.incidents.open(shop.incident())
    platform.incidents.save(opened.id, shop.diagnosis())


STATES: Mapping[str, Callable[[Platform], object]] = {
    "nothing": nothing,
    "unusable": unusable,
    "quiet": quiet,
    "silent": silent,
    "many": many,
    "several": several,
    "pending": pending,
    "running": running,
    "failed": failed,
    "abstained": abstained,
    "stale": stale,
    "reader": several,
    "refused": one,
    "learning": learning,
    "degraded": degraded,
}


def _processes(platform: Platform, **second: object) -> None:
    """Two that take samples in and one that works; `second` is said of the second."""
    began = shop.NOW - 7200
    first = Tally("ingest@node-1:17", "ingest", __version__, began, shop.NOW - 4, received=412_300)
    first = replace(first, per_second=57.2)
    tallies = (
        first,
        replace(first, process="ingest@node-2:17", received=398_114, **second),
        Tally("work@node-1:41", "work", __version__, began, shop.NOW - 7),
    )
    for one in tallies:
        platform.tallies.put({DEFAULT_TENANT: one})


def _drifted(platform: Platform) -> None:
    """A kept graph that was relearnt after a deploy."""
    done = shop.NOW - 7200
    series = (Series.of("latency_p99_seconds", "checkout"), Series.of("request_rate", "checkout"))
    text = (
        "After deploy 1.8.0 of checkout at 12:14:30 UTC, latency_p99_seconds no longer follows "
        "request_rate and now follows payment|latency_p99_seconds with lag 15 s."
    )
    notice = DriftNotice("checkout", done, "argo", "7", "1.8.0", text)
    version = GraphVersion(
        DEFAULT_TENANT, "checkout", 1, done + 3600, done, done + 3600, 15.0,
        CausalGraph(series, ()), series, Reason.STRUCTURE,
        quiet_from_unix=done, held_until_unix=done + 3600, notices=(notice,),
    )  # fmt: skip
    platform.graphs.put(version)


def _cluster(platform: Platform) -> None:
    """A database with one pod and a service with six."""
    database = PlacedPod("orders-db-0", "orders-db", "node-a", ())
    orders = [PlacedPod(f"orders-{k}", "orders", f"node-{'abc'[k % 3]}", ()) for k in range(6)]
    behind = (Backend("orders-db", (), (database.name,)),)
    platform.placements.put([Placement("shop", shop.NOW - 30, (database, *orders), behind)])


def _samples(platform: Platform, last: float) -> None:
    """An hour of every series, as its excerpt tells it where there is one."""
    courses = {e.series: e for e in shop.diagnosis().excerpts}
    samples = []
    for series in shop.EVERY:
        course = courses.get(series) or shop.excerpt(series, 1.0, 1.2, "", 0.0)
        pairs = zip(course.times, course.values, strict=True)
        samples += [Sample(series, t - shop.NOW + last, v) for t, v in pairs if v is not None]
    platform.samples.append(SampleBatch.of(samples))
