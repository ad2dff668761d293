"""Where an analysis stands: running with its progress, then its outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import metadata
from time import perf_counter, thread_time
from typing import Literal

from rootward import __version__, telemetry
from rootward.methods import registry
from rootward.methods.base import Cost
from rootward.model.event import Facts
from rootward.model.incident import Incident
from rootward.model.result import Analysis, Result
from rootward.ports import JsonValue, Platform

Outcome = Literal["ok", "weak", "not_applicable", "failed"]

PROGRESS_EVERY_SECONDS = 2.0
"""Progress is stored no more often."""
DEADLINE_SECONDS: Mapping[Cost, float] = {
    Cost.INSTANT: 20.0,
    Cost.SECONDS: 120.0,
    Cost.MINUTES: 900.0,
}
"""Ten times what a method should take: systems are large and machines busy."""
_LIBRARIES = ("numpy", "scipy", "torch")


class Running:
    """One run of a method on an incident, as the store gets to know it."""

    def __init__(
        self,
        platform: Platform,
        incident: Incident,
        method: str,
        params: Mapping[str, JsonValue],
        seed: int,
    ) -> None:
        self._platform = platform
        self._incident = incident
        self._method = method
        self._seed = seed
        self._settings = _settings(method, params)
        self._differing = _differing(method, params)
        self._began, self._worked = perf_counter(), thread_time()
        self._told = self._began

    def begin(self) -> None:
        """Store that it is running."""
        self._save("running")

    def progress(self, share: float) -> None:
        """Store which share is done, unless that was told a moment ago."""
        now = perf_counter()
        if now - self._told >= PROGRESS_EVERY_SECONDS:
            self._told = now
            self._save("running", progress=min(max(share, 0.0), 1.0))

    def end(self, outcome: Outcome, result: Result | None = None, reason: str = "") -> None:
        """Store what came of it."""
        self._save(outcome, result, reason)
        telemetry.ANALYSES.labels(outcome).inc()

    def _save(
        self,
        status: Literal["ok", "weak", "not_applicable", "failed", "running"],
        result: Result | None = None,
        reason: str = "",
        progress: float = 0.0,
    ) -> None:
        analysis = Analysis(
            self._incident.id,
            self._method,
            self._differing,
            status,
            result,
            reason,
            seconds=perf_counter() - self._began,
            cpu_seconds=max(0.0, thread_time() - self._worked),
            seed=self._seed,
            settings=self._settings,
            versions=_versions(),
            progress=progress,
        )
        self._platform.results.save(analysis, self._incident.tenant)
        facts: Facts = {"method": self._method, "status": status, "progress": progress}
        self._platform.events.tell("analysis", self._incident.id, facts, self._incident.tenant)


def _versions() -> dict[str, str]:
    return {"rootward": __version__} | {name: metadata.version(name) for name in _LIBRARIES}


def _defaults(method: str) -> dict[str, object]:
    kind = registry.load().methods.get(method)
    if kind is None or not is_dataclass(kind):
        return {}
    return {f.name: f.default for f in fields(kind)}


def _settings(method: str, given: Mapping[str, JsonValue]) -> str:
    """All parameters as they are used, in one spelling."""
    return registry.canonical(_defaults(method) | dict(given))


def _differing(method: str, given: Mapping[str, JsonValue]) -> str:
    """The parameters that differ from the defaults, in one spelling."""
    defaults = _defaults(method)
    return registry.canonical(
        {k: v for k, v in given.items() if k not in defaults or defaults[k] != v}
    )
