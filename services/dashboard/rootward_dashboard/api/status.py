"""What comes in, how fresh it is, what waits."""

from __future__ import annotations

import os
import platform as platform_of
from collections import Counter
from importlib import metadata

from fastapi import APIRouter

from rootward import __version__
from rootward.model.tally import Tally
from rootward.ports import Platform
from rootward_dashboard import condition as out
from rootward_dashboard import reading
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import get
from rootward_dashboard.figures import instant

SILENT_SECONDS = 60.0
"""A process that told nothing for so long is not heard of any more."""
_LIBRARIES = ("numpy", "sqlalchemy", "fastapi")
_TAKE_IN = ("up", "ingest")


def add(routes: APIRouter, platform: Platform) -> None:
    """The state of the whole system."""

    def status(caller: Asking) -> out.StatusOut:
        """What comes in, how fresh it is, what waits, and whether every part answers.

        What was received and rejected is the sum over all processes, as each tells it every 10
        seconds.
        """
        told = _status(platform, reading.overview(platform, caller.tenant))
        return _with_counts(told, platform.tallies.all(caller.tenant), platform.clock.now())

    get(routes, "/status", status, "get_status", out.StatusOut)


def _status(platform: Platform, view: reading.Overview) -> out.StatusOut:
    last = view.last_unix
    return out.StatusOut(
        version=__version__,
        instance=f"{platform_of.node()}:{os.getpid()}",
        at=instant(view.now),
        series=view.series,
        services=[
            out.ServiceOut(
                service=i.service,
                series=i.series,
                last_at=instant(i.last_unix),
                last_unix=i.last_unix,
                age_seconds=max(0.0, view.now - i.last_unix),
            )
            for i in view.inflows
        ],
        last_sample_at=None if last is None else instant(last),
        last_sample_unix=last,
        last_sample_age_seconds=None if last is None else max(0.0, view.now - last),
        bus_backlog=view.bus_backlog,
        jobs_backlog=view.jobs_backlog,
        open_incidents=view.open_incidents,
        methods=view.methods,
        checks=[out.CheckOut(name=c.name, ok=c.ok, reason=c.reason) for c in view.checks],
        lag_seconds=None if last is None else max(0.0, view.now - last),
        storage=_storage(platform),
        versions=_versions(),
        step_seconds=platform.step_seconds,
    )


def _with_counts(told: out.StatusOut, tallies: tuple[Tally, ...], now_unix: float) -> out.StatusOut:
    processes = [_process(one, tallies, now_unix) for one in tallies]
    rejected: Counter[str] = Counter()
    for one in tallies:
        rejected.update(one.rejected)
    return told.model_copy(
        update={
            "takes_in": any(one.part in _TAKE_IN for one in tallies),
            "processes": processes,
            "received": sum(one.received for one in processes),
            "received_per_second": sum(one.received_per_second for one in processes),
            "rejected": [
                out.RejectedOut(reason=reason, samples=count)
                for reason, count in sorted(rejected.items())
            ],
            "late_samples": sum(one.late_samples for one in processes),
            "dead_letters": sum(one.dead_letters for one in processes),
        }
    )


def _state(one: Tally, all_: tuple[Tally, ...], now_unix: float) -> out.ProcessState:
    if one.ended:
        return "ended"
    if now_unix - one.told_unix <= SILENT_SECONDS:
        return "here"
    replaced = any(o.part == one.part and o.began_unix > one.told_unix for o in all_)
    return "replaced" if replaced else "silent"


def _process(one: Tally, all_: tuple[Tally, ...], now_unix: float) -> out.ProcessOut:
    state = _state(one, all_, now_unix)
    return out.ProcessOut(
        name=one.process,
        part=one.part,
        version=one.version,
        began_unix=one.began_unix,
        told_unix=one.told_unix,
        state=state,
        received=one.received,
        received_per_second=one.per_second if state == "here" else 0.0,
        rejected=sum(one.rejected.values()),
        late_samples=one.late,
        dead_letters=one.dead_letters,
    )


def _storage(platform: Platform) -> out.StorageOut | None:
    if platform.storage is None:
        return None
    room = platform.storage()
    return out.StorageOut(kind=room.kind, used_bytes=room.used_bytes, free_bytes=room.free_bytes)


def _versions() -> dict[str, str]:
    return {
        "rootward": __version__,
        "python": platform_of.python_version(),
        **{name: metadata.version(name) for name in _LIBRARIES},
    }
