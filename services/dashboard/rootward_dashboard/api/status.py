"""What comes in, how fresh it is, what waits."""

from __future__ import annotations

from fastapi import APIRouter

from rootward import __version__
from rootward.ports import Platform
from rootward_dashboard import reading
from rootward_dashboard import schemas as out
from rootward_dashboard.api.routing import get
from rootward_dashboard.figures import instant


def add(routes: APIRouter, platform: Platform) -> None:
    """The state of the whole system."""

    def status() -> out.StatusOut:
        """What comes in, how fresh it is, what waits, and whether every part answers."""
        return _status(reading.overview(platform))

    get(routes, "/status", status, "get_status", out.StatusOut)


def _status(view: reading.Overview) -> out.StatusOut:
    last = view.last_unix
    return out.StatusOut(
        version=__version__,
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
    )
