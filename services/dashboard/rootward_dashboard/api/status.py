"""What comes in, how fresh it is, what waits."""

from __future__ import annotations

import os
import platform as platform_of
from importlib import metadata

from fastapi import APIRouter, Request

from rootward import __version__
from rootward.ports import Platform
from rootward.telemetry import (
    DEAD_LETTERS,
    INGEST_REJECTED,
    INGEST_SAMPLES,
    LATE_SAMPLES,
    counts,
)
from rootward_dashboard import reading
from rootward_dashboard import schemas as out
from rootward_dashboard.access import Asking
from rootward_dashboard.api.routing import get
from rootward_dashboard.figures import instant

_LIBRARIES = ("numpy", "sqlalchemy", "fastapi")


def add(routes: APIRouter, platform: Platform) -> None:
    """The state of the whole system."""

    def status(request: Request, caller: Asking) -> out.StatusOut:
        """What comes in, how fresh it is, what waits, and whether every part answers.

        What was received and rejected is counted by each process for itself; those that take
        samples in also tell it at /metrics.
        """
        told = _status(platform, reading.overview(platform, caller.tenant), caller.tenant)
        return told.model_copy(update={"takes_in": getattr(request.app.state, "takes_in", False)})

    get(routes, "/status", status, "get_status", out.StatusOut)


def _status(platform: Platform, view: reading.Overview, tenant: str) -> out.StatusOut:
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
        received=round(sum(counts(INGEST_SAMPLES, "tenant", tenant=tenant).values())),
        rejected=[
            out.RejectedOut(reason=reason, samples=round(count))
            for reason, count in sorted(counts(INGEST_REJECTED, "reason", tenant=tenant).items())
        ],
        late_samples=round(sum(counts(LATE_SAMPLES, "").values())),
        dead_letters=round(sum(counts(DEAD_LETTERS, "kind").values())),
        lag_seconds=None if last is None else max(0.0, view.now - last),
        storage=_storage(platform),
        versions=_versions(),
        step_seconds=platform.step_seconds,
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
