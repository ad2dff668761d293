"""A recording through the running platform, as if it happened now; then held against its faults."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from time import monotonic

import httpx
import numpy as np
from rich.console import Console
from rich.markup import escape

from rootward.errors import InvalidInput, Unavailable
from rootward.model.incident import Diagnosis, Incident
from rootward.model.window import Window
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.testing.fakes import ManualClock
from rootward_cli import cases
from rootward_cli.evaluation import scores
from rootward_cli.up import Node, running, wait_for_signal

MOST_WAITING = 20
"""Batches that may wait before the replay holds back: the detector sets the pace."""
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Fault:
    """A labelled fault of a recording."""

    inject_unix: float
    service: str
    kind: str


@dataclass(frozen=True)
class Catch:
    """A fault, the incident that opened for it, and where its service stands; None is a miss."""

    fault: Fault
    incident: Incident | None
    rank: int | None
    joined: bool = False
    """No incident of its own: it fell into one that was still open from before."""


@dataclass(frozen=True)
class Report:
    """How a replay went."""

    catches: tuple[Catch, ...]
    false: tuple[Incident, ...]
    """Incidents that began outside of every fault."""
    incidents: tuple[tuple[Incident, Diagnosis | None], ...]


def replay(
    file: Path,
    settings: Settings,
    speed: float,
    say: Callable[[str], None],
    then: Callable[[Node], None],
) -> Report:
    """Send every row through ingest at `speed` times its pace (0: as fast as it is taken).

    The platform's clock follows the recording. `then` is called before everything stops.

    Raises:
        InvalidInput: the file is not a recording.
        Unavailable: ingest did not take a row.
    """
    recording = cases.read(file)
    window = recording.window
    clock = ManualClock(float(window.times[0]))
    with running(settings.model_copy(update={"step_seconds": window.step_seconds}), clock) as node:
        say(f"{len(window.times)} rows of {len(window.series)} series → {node.url}")
        _send(window, node, clock, speed)
        _drain(node.platform)
        report = held_against(faults(file.parent / "faults.json"), node.platform,
                              float(window.times[-1]))  # fmt: skip
        then(node)
    return report


def _send(window: Window, node: Node, clock: ManualClock, speed: float) -> None:
    names = [
        {"service": s.service, "metric": s.metric, "labels": dict(s.labels)} for s in window.series
    ]
    started, first = monotonic(), float(window.times[0])
    pause = threading.Event()
    with httpx.Client(base_url=node.url, timeout=60) as client:
        for time, values in zip(window.times, window.values, strict=True):
            if speed:
                pause.wait(max(0.0, started + (float(time) - first) / speed - monotonic()))
            clock.set(float(time))
            body = {
                "series": names,
                "times": [float(time)],
                "values": [[None if np.isnan(v) else float(v)] for v in values],
            }
            answer = client.post("/api/v1/samples", json=body)
            if not answer.is_success:
                raise Unavailable(f"ingest answered {answer.status_code}: {answer.text[:300]}")
            while node.platform.bus.backlog() > MOST_WAITING:
                pause.wait(0.01)


def _drain(platform: Platform) -> None:
    """Wait until everything sent was looked at and every diagnosis is made."""
    deadline = monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while platform.bus.backlog() or platform.jobs.backlog() > 1:  # `expire` always waits
        if monotonic() > deadline:
            raise Unavailable("the worker did not finish in time")
        pause.wait(0.1)


def faults(path: Path) -> tuple[Fault, ...]:
    """The labelled faults beside a recording, by time; none where there is no such file.

    Raises:
        InvalidInput: the file is there and not readable as labels.
    """
    if not path.is_file():
        return ()
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["faults"]
        found = [
            Fault(float(f["inject_time"]), f["root_cause_service"], f["fault_type"]) for f in listed
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} holds no faults: {error}") from error
    return tuple(sorted(found, key=lambda f: f.inject_unix))


def held_against(labels: Sequence[Fault], platform: Platform, end_unix: float) -> Report:
    """Each incident goes to the fault it began in; a fault lasts until the next, 10 min at most."""
    incidents = _all_incidents(platform)
    ends = [f.inject_unix for f in labels[1:]] + [end_unix]
    catches, explained = [], set()
    for fault, following in zip(labels, ends, strict=True):
        until = min(following, fault.inject_unix + 600)
        inside = [i for i in incidents if fault.inject_unix <= i.opened_unix < until]
        explained |= {i.id for i in inside}
        catches.append(_catch(fault, inside, incidents, platform))
    return Report(
        catches=tuple(catches),
        false=tuple(i for i in incidents if i.id not in explained) if labels else (),
        incidents=tuple((i, platform.incidents.diagnosis(i.id)) for i in incidents),
    )


def _all_incidents(platform: Platform) -> list[Incident]:
    found: list[Incident] = []
    cursor = None
    while True:
        page = platform.incidents.page(limit=200, cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return sorted(found, key=lambda i: i.opened_unix)


def _catch(
    fault: Fault, inside: Sequence[Incident], incidents: Sequence[Incident], platform: Platform
) -> Catch:
    if not inside:
        at = fault.inject_unix
        joined = any(
            i.opened_unix < at and (i.resolved_unix is None or i.resolved_unix > at)
            for i in incidents
        )
        return Catch(fault, None, None, joined)
    found = platform.incidents.diagnosis(inside[0].id)
    ranks = [c.rank for c in found.candidates if c.service == fault.service] if found else []
    return Catch(fault, inside[0], ranks[0] if ranks else None)


def show(file: Path, *, speed: float, stay: bool, port: int, console: Console) -> None:
    """Replay into a database of its own and print what came of it.

    Raises:
        InvalidInput, Unavailable: as `replay` does.
    """

    def then(node: Node) -> None:
        if stay:
            console.print(f"The pages stay up at {node.url}; Ctrl-C ends it.", highlight=False)
            wait_for_signal()

    with tempfile.TemporaryDirectory(prefix="rootward-replay-") as folder:
        settings = Settings(
            database_url=f"sqlite:///{Path(folder) / 'rootward.db'}", port=port,
            retention_seconds=30 * 86400,
        )  # fmt: skip
        report = replay(file, settings, speed, lambda text: console.print(escape(text)), then)
    for line in (*_lines(report), _summary(report)):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _lines(report: Report) -> Iterator[str]:
    """A line for each incident, then one for each fault that opened none."""
    by_incident = {c.incident.id: c for c in report.catches if c.incident}
    for incident, found in report.incidents:
        catch = by_incident.get(incident.id)
        first = found.candidates[0].service if found and found.candidates else "no cause"
        band = f"({found.band})" if found else "(diagnosis failed)"
        truth = f"; {_named(catch.fault)} in place {catch.rank or 'none'}" if catch else ""
        yield f"{_utc(incident.opened_unix)}  {incident.title} → {first} {band}{truth}"
    for catch in report.catches:
        if catch.incident is None:
            why = "fell into an open incident" if catch.joined else "not caught"
            yield f"{_utc(catch.fault.inject_unix)}  {why}: {_named(catch.fault)}"


def _named(fault: Fault) -> str:
    return f"{fault.kind}@{fault.service}"


def _utc(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _summary(report: Report) -> str:
    caught = [c for c in report.catches if c.incident]
    ranks = [float(c.rank or inf) for c in report.catches]
    found = scores(ranks)
    hit = scores([float(c.rank or inf) for c in caught])
    return (
        f"{len(report.incidents)} incidents; {len(caught)} of {len(report.catches)} faults caught, "
        f"{sum(c.joined for c in report.catches)} more fell into an open incident; "
        f"{len(report.false)} incidents outside of every fault\n"
        f"rank of the true service, of all faults: AC@1 {found.ac1:.2f}, AC@3 {found.ac3:.2f}, "
        f"Avg@5 {found.avg5:.2f}; of those caught: AC@1 {hit.ac1:.2f}, AC@3 {hit.ac3:.2f}, "
        f"Avg@5 {hit.avg5:.2f}"
    )
