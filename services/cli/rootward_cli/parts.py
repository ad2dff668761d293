"""One service in a process of its own, beside as many others of each as there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from enum import StrEnum
from urllib.parse import urlsplit

from fastapi import FastAPI

from rootward import __version__, bootstrap
from rootward.ports import Platform
from rootward.settings import Settings
from rootward_cli import admission
from rootward_cli.telling import telling
from rootward_cli.up import (
    Node,
    address,
    limits,
    listening_on,
    made_intake,
    scraping,
    serving,
    watching,
)
from rootward_dashboard.app import create_app as create_dashboard
from rootward_ingest.app import create_app as create_ingest
from rootward_ingest.health import Check, health_router


class Service(StrEnum):
    """What a process can be."""

    INGEST = "ingest"
    DETECT = "detect"
    WORK = "work"
    DASHBOARD = "dashboard"


@contextmanager
def running(service: Service, settings: Settings) -> Iterator[Node]:
    """One service started and reachable; drained and stopped on leaving.

    Raises:
        InvalidConfiguration: the port is taken, or processes cannot share what the URLs name.
        Unavailable: the database does not answer.
    """
    bootstrap.check_shared(settings)
    with ExitStack() as stack:
        listening = stack.enter_context(listening_on(settings.host, settings.port))
        platform = bootstrap.build(settings)
        stack.callback(platform.close)
        host = str(listening.getsockname()[0])
        app = stack.enter_context(_SERVICES[service](settings, platform, host))
        stack.enter_context(serving(app, listening))
        stack.enter_context(telling(settings, platform, service.value))
        yield Node(platform, address(settings, listening))


@contextmanager
def _ingest(settings: Settings, platform: Platform, host: str) -> Iterator[FastAPI]:
    gate = admission.gate(settings, platform, host)
    intake = made_intake(settings, platform)
    with scraping(settings, platform, intake), watching(settings, platform):
        yield create_ingest(platform, limits(settings), intake=intake, gate=gate)


@contextmanager
def _detect(settings: Settings, platform: Platform, _: str) -> Iterator[FastAPI]:
    from rootward_cli import working

    working.detect(settings, platform)
    yield _health("detect", {"bus": platform.bus.backlog, **_stores(platform)})


@contextmanager
def _work(settings: Settings, platform: Platform, _: str) -> Iterator[FastAPI]:
    from rootward_cli import working

    working.work(settings, platform)
    yield _health("work", {"jobs": platform.jobs.backlog, **_stores(platform)})


@contextmanager
def _dashboard(settings: Settings, platform: Platform, host: str) -> Iterator[FastAPI]:
    app = create_dashboard(platform, gate=admission.gate(settings, platform, host))
    app.root_path = urlsplit(settings.public_url).path.rstrip("/")
    yield app


_Make = Callable[[Settings, Platform, str], AbstractContextManager[FastAPI]]
"""Takes the address that it listens on, too."""

_SERVICES: Mapping[Service, _Make] = {
    Service.INGEST: _ingest,
    Service.DETECT: _detect,
    Service.WORK: _work,
    Service.DASHBOARD: _dashboard,
}


def _stores(platform: Platform) -> dict[str, Check]:
    return {"samples": platform.samples.check, "incidents": platform.incidents.check}


def _health(service: str, checks: Mapping[str, Check]) -> FastAPI:
    """All that a service without pages answers: is it alive, is it ready, its metrics."""
    app = FastAPI(title=f"Rootward {service}", version=__version__, docs_url=None, redoc_url=None)
    app.include_router(health_router(checks, needed=tuple(checks)))
    return app
