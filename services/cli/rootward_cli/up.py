"""All services in one process on one port."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from rootward import bootstrap
from rootward.errors import InvalidConfiguration
from rootward.ports import Clock, Platform
from rootward.settings import Settings
from rootward_cli import admission
from rootward_cli.telling import telling
from rootward_dashboard.app import create_app
from rootward_ingest import rules
from rootward_ingest.app import router as intake_routes
from rootward_ingest.intake import Intake
from rootward_ingest.kubernetes.api import Api
from rootward_ingest.kubernetes.watcher import Watcher
from rootward_ingest.limits import Limits
from rootward_ingest.scrape import Scraper
from rootward_ingest.tenants import Tenancy

DRAIN_SECONDS = 10
"""How long open requests may take to end once we are told to stop."""


@dataclass(frozen=True)
class Node:
    """A running Rootward: its platform and the address of its pages."""

    platform: Platform
    url: str


@contextmanager
def running(settings: Settings, clock: Clock | None = None) -> Iterator[Node]:
    """Everything started and reachable; everything stopped and drained on leaving.

    Raises:
        InvalidConfiguration: the port is taken, a URL has an unknown scheme, or other machines
            can reach it and no access is set up.
    """
    from rootward_cli import working

    with ExitStack() as stack:
        listening = stack.enter_context(listening_on(settings.host, settings.port))
        platform = bootstrap.build(settings, clock)
        stack.callback(platform.close)
        gate = admission.gate(settings, platform, str(listening.getsockname()[0]))
        working.detect(settings, platform)
        working.work(settings, platform)
        intake = made_intake(settings, platform)
        app = create_app(platform, gate=gate)
        app.root_path = urlsplit(settings.public_url).path.rstrip("/")
        app.include_router(intake_routes(platform, limits(settings), intake=intake, gate=gate))
        stack.enter_context(serving(app, listening))
        stack.enter_context(scraping(settings, platform, intake))
        stack.enter_context(watching(settings, platform))
        stack.enter_context(telling(settings, platform, "up"))
        yield Node(platform, address(settings, listening))


def made_intake(settings: Settings, platform: Platform) -> Intake:
    """What checks samples on their way in."""
    accepted = limits(settings)
    laid_down = rules.read(settings.intake_file) if settings.intake_file else rules.Rules()
    return Intake(platform, accepted, tenancy(settings, laid_down.limits(accepted)), laid_down)


@contextmanager
def scraping(settings: Settings, platform: Platform, intake: Intake) -> Iterator[None]:
    """Targets scraped in the background, if there are any."""
    if not settings.scrape_file:
        yield
        return
    scraper = Scraper(
        platform,
        limits(settings),
        settings.scrape_file,
        interval_seconds=settings.scrape_interval_seconds,
        intake=intake,
    )
    scraper.start()
    try:
        yield
    finally:
        scraper.stop()


@contextmanager
def watching(settings: Settings, platform: Platform) -> Iterator[None]:
    """What is done to the workloads of a cluster watched in the background, if there is one."""
    if not settings.kubernetes_url:
        yield
        return
    namespaces = [name.strip() for name in settings.kubernetes_namespaces.split(",")]
    watcher = Watcher(platform, Api(settings.kubernetes_url), list(filter(None, namespaces)))
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()


def address(settings: Settings, listening: socket.socket) -> str:
    """Where people reach it."""
    host, port = listening.getsockname()[:2]
    return settings.public_url or f"http://{host}:{port}"


def limits(settings: Settings) -> Limits:
    """What ingest accepts."""
    return Limits(
        max_body_bytes=settings.max_body_bytes,
        max_decompressed_bytes=settings.max_decompressed_bytes,
        max_parts=settings.max_parts,
        max_samples=settings.max_samples,
        max_labels=settings.max_labels,
        max_label_name_bytes=settings.max_label_name_bytes,
        max_label_value_bytes=settings.max_label_value_bytes,
        max_samples_per_second=settings.max_samples_per_second,
        max_inflight_bytes=settings.max_inflight_bytes,
        max_series=settings.max_series,
        max_ahead_seconds=settings.max_ahead_seconds,
        max_age_seconds=settings.max_age_seconds,
    )


def tenancy(settings: Settings, own: Mapping[str, Limits]) -> Tenancy:
    """How ingest tells tenants apart; some have limits of their own."""
    return Tenancy(settings.tenant_header, settings.max_tenants, own)


def wait_for_signal() -> None:
    """Block until SIGINT or SIGTERM; call it from the main thread."""
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    told.wait()


@contextmanager
def listening_on(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named: asyncio else leaves Nagle's algorithm on, and answers wait for 40 ms
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            raise InvalidConfiguration(
                f"cannot listen on {host}:{port}: {error.strerror}; set ROOTWARD_PORT"
            ) from error
        # workers are forked: one that outlives us must not keep the port from who follows us
        os.register_at_fork(after_in_child=sock.close)
        yield sock


@contextmanager
def serving(app: FastAPI, sock: socket.socket) -> Iterator[None]:
    """The app served from a thread; returns once it answers. Streams end when it stops."""
    app.state.closing = threading.Event()
    ready = threading.Event()
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            proxy_headers=False,  # which proxies are trusted is a setting, see rootward.access
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        ),
        ready,
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="http")
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        app.state.closing.set()
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """A uvicorn server in a thread that says when it is up; signals are ours to handle."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self._ready.set()
