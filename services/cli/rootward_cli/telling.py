"""Tells the other processes what this one counted, so that any of them can say it of all."""

from __future__ import annotations

import logging
import os
import platform as platform_of
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rootward import __version__
from rootward.errors import Unavailable
from rootward.model.tally import Tally
from rootward.model.tenant import DEFAULT_TENANT
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.telemetry import (
    DEAD_LETTERS,
    INGEST_REJECTED,
    INGEST_SAMPLES,
    LATE_SAMPLES,
    counts,
)

log = logging.getLogger(__name__)

EVERY_SECONDS = 10.0


class Teller:
    """Writes the tallies of this process, at once and then every some seconds."""

    def __init__(self, platform: Platform, part: str, name: str) -> None:
        self._platform = platform
        self._part = part
        self._process = f"{part}@{name}"
        self._began_unix = platform.clock.now()
        self._before: dict[str, tuple[float, int]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to tell, in the background."""
        self._thread = threading.Thread(target=self._run, name="teller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say farewell and stop; idempotent."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def tell(self, *, ended: bool = False) -> None:
        """Write what was counted so far; raises Unavailable where the store does not answer."""
        received = counts(INGEST_SAMPLES, "tenant")
        told = (INGEST_REJECTED, LATE_SAMPLES, DEAD_LETTERS)
        tenants = {DEFAULT_TENANT, *received, *(t for one in told for t in counts(one, "tenant"))}
        tallies = {t: self._tally(t, round(received.get(t, 0.0)), ended) for t in sorted(tenants)}
        self._platform.tallies.put(tallies)
        self._before = {t: (one.told_unix, one.received) for t, one in tallies.items()}

    def _run(self) -> None:
        self._try_to_tell()
        while not self._stopping.wait(EVERY_SECONDS):
            self._try_to_tell()
        self._try_to_tell(ended=True)

    def _try_to_tell(self, *, ended: bool = False) -> None:
        try:
            self.tell(ended=ended)
        except Unavailable as error:
            log.warning("cannot tell what was counted", extra={"reason": str(error)})

    def _tally(self, tenant: str, received: int, ended: bool) -> Tally:
        now = self._platform.clock.now()
        rejected = counts(INGEST_REJECTED, "reason", tenant=tenant)
        before_unix, before = self._before.get(tenant, (self._began_unix, 0))
        return Tally(
            process=self._process,
            part=self._part,
            version=__version__,
            began_unix=self._began_unix,
            told_unix=now,
            ended=ended,
            received=received,
            per_second=(received - before) / (now - before_unix) if now > before_unix else 0.0,
            rejected={reason: round(count) for reason, count in sorted(rejected.items())},
            late=round(sum(counts(LATE_SAMPLES, "tenant", tenant=tenant).values())),
            dead_letters=round(sum(counts(DEAD_LETTERS, "kind", tenant=tenant).values())),
        )


@contextmanager
def telling(settings: Settings, platform: Platform, part: str) -> Iterator[None]:
    """What this process counts told in the background, and its end."""
    name = settings.instance or f"{platform_of.node()}:{os.getpid()}"
    teller = Teller(platform, part, name)
    teller.start()
    try:
        yield
    finally:
        teller.stop()
