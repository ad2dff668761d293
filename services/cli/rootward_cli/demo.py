"""The demo: a small shop breaks, and its incident page names the service that broke it."""

from __future__ import annotations

import importlib
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.markup import escape

from rootward.errors import InvalidConfiguration, InvalidParameters
from rootward.model.incident import Diagnosis, Incident
from rootward.ports import Platform
from rootward.settings import Settings
from rootward_cli import parts
from rootward_cli.up import Node, running, wait_for_signal

STEP_SECONDS = 1.0
CLEAN_SECONDS = 50
"""How long the shop runs well first: the baseline that a fault is measured against."""
PATIENCE_SECONDS = 90
"""How long after the fault we wait for its cause to be named."""
SETTLED_ROWS = 12
"""Rows of the incident that a diagnosis must have seen before we take it as its answer."""


@dataclass(frozen=True)
class Verdict:
    """What came of one fault; times are seconds since the fault was injected."""

    fault: str
    opened_after: float | None = None
    named_after: float | None = None
    incident: Incident | None = None
    diagnosis: Diagnosis | None = None

    @property
    def right(self) -> bool:
        """The broken service stands first."""
        service = self.fault.partition("@")[2]
        found = self.diagnosis.candidates if self.diagnosis else ()
        return bool(found) and found[0].service == service and not self._abstained

    @property
    def _abstained(self) -> bool:
        return self.diagnosis is None or self.diagnosis.abstained


def shop() -> Any:
    """The module `shop.run` of deploy/shop, which is part of the source tree, not of the wheel.

    Raises:
        InvalidConfiguration: this Rootward was not installed from a source tree.
    """
    deploy = Path(__file__).parents[3] / "deploy"
    if not (deploy / "shop").is_dir():
        raise InvalidConfiguration(
            "the demo shop lies in deploy/shop of the source tree; run the demo from there"
        )
    if str(deploy) not in sys.path:
        sys.path.insert(0, str(deploy))
    return importlib.import_module("shop.run")


Start = Callable[[Path, Path], AbstractContextManager[Node]]
"""Starts what watches the shop, from a folder of its own and a file of targets to scrape."""


def alone(port: int) -> Start:
    """All of Rootward in this process."""

    def start(folder: Path, targets: Path) -> AbstractContextManager[Node]:
        settings = Settings(
            database_url=f"sqlite:///{folder / 'rootward.db'}",
            port=port,
            step_seconds=STEP_SECONDS,
            scrape_file=targets,
            scrape_interval_seconds=STEP_SECONDS,
        )
        return running(settings)

    return start


def against(settings: Settings) -> Start:
    """The services that run at the URLs of the settings; this process is one more ingest.

    Raises:
        InvalidConfiguration: their rows are too far apart for a demo.
    """
    if settings.step_seconds != STEP_SECONDS:
        raise InvalidConfiguration(
            f"the demo needs ROOTWARD_STEP_SECONDS={STEP_SECONDS:g}, here and in every service"
        )

    def start(_: Path, targets: Path) -> AbstractContextManager[Node]:
        own = {"port": 0, "scrape_file": targets, "scrape_interval_seconds": STEP_SECONDS}
        return parts.running(parts.Service.INGEST, settings.model_copy(update=own))

    return start


def run(
    faults: Sequence[str],
    start: Start,
    *,
    stay: bool,
    console: Console,
    clean_seconds: int = CLEAN_SECONDS,
) -> list[Verdict]:
    """Break the shop once for each fault, each time from a fresh start; the last one stays up.

    Raises:
        InvalidParameters: a fault that the shop does not know.
    """
    named = [_canonical(fault) for fault in faults]
    last = len(named) - 1
    return [
        _one(_Trial(fault, clean_seconds, stay and k == last), start, console)
        for k, fault in enumerate(named)
    ]


def _canonical(fault: str) -> str:
    module = shop()
    try:
        name: str = module.canonical(fault)
    except module.ShopError as error:
        raise InvalidParameters(str(error)) from error
    return name


@dataclass(frozen=True)
class _Trial:
    """One fault, and how it is shown."""

    fault: str
    clean_seconds: int
    stay: bool


def _one(trial: _Trial, start: Start, console: Console) -> Verdict:
    started = monotonic()

    def say(text: str) -> None:
        console.print(
            f"[dim]{monotonic() - started:5.1f} s[/dim]  {text}", highlight=False, soft_wrap=True
        )

    with tempfile.TemporaryDirectory(prefix="rootward-demo-") as folder:
        store = shop().Shop(Path(folder) / "shop", seed=1)
        store.start()
        try:
            say(f"the shop is up: {', '.join(sorted(store.targets()))}")
            targets = Path(folder) / "targets.json"
            store.write_scrape_file(targets)
            with start(Path(folder), targets) as node:
                say(f"Rootward is up and scrapes it every second: {node.url}")
                verdict = _break(trial, store, node, say)
                _tell(verdict, node, console)
                if trial.stay:
                    console.print("The demo stays up; Ctrl-C ends it.")
                    wait_for_signal()
        finally:
            store.stop()
    return verdict


def _break(trial: _Trial, store: Any, node: Node, say: Any) -> Verdict:
    fault = trial.fault
    say(f"learning what normal looks like for {trial.clean_seconds} s")
    threading.Event().wait(trial.clean_seconds)
    for early in node.platform.incidents.current():
        say(
            f"[yellow]an incident opened before anything was broken: {escape(early.title)}[/yellow]"
        )
    store.inject(fault)
    injected_unix, injected = node.platform.clock.now(), monotonic()
    say(f"[bold]broke it: {fault}[/bold]")
    verdict = Verdict(fault)
    while monotonic() - injected < PATIENCE_SECONDS:
        seconds = monotonic() - injected
        incident = _incident_since(node.platform, injected_unix)
        if incident and not verdict.incident:
            say(f"incident opened: {escape(incident.title)}")
            verdict = Verdict(fault, opened_after=seconds, incident=incident)
        found = node.platform.incidents.diagnosis(incident.id) if incident else None
        if found and found != verdict.diagnosis:
            named = verdict.named_after or seconds
            say(escape(found.conclusion))
            verdict = Verdict(fault, verdict.opened_after, named, incident, found)
            if _settled(found):
                break
        threading.Event().wait(0.2)
    return verdict


def _incident_since(platform: Platform, unix: float) -> Incident | None:
    """The newest open incident that began with the fault, some rows of slack for its onset."""
    slack = 5 * STEP_SECONDS
    current = [i for i in platform.incidents.current() if i.opened_unix >= unix - slack]
    return current[-1] if current else None


def _settled(found: Diagnosis) -> bool:
    if found.onset_unix is None:
        return False
    return found.end_unix - found.onset_unix >= SETTLED_ROWS * found.step_seconds


def _tell(verdict: Verdict, node: Node, console: Console) -> None:
    console.rule()
    if verdict.incident is None:
        console.print(f"[red]{verdict.fault}: no incident opened[/red]")
        return
    number = verdict.incident.number
    console.print(f"[bold]{node.url}/incidents/INC-{number}[/bold]", highlight=False)
    if verdict.diagnosis:
        console.print(escape(verdict.diagnosis.conclusion), highlight=False, soft_wrap=True)
        for c in verdict.diagnosis.candidates[:5]:
            line = f"  {c.rank}. {escape(c.service)}  {c.score:.0%}  {escape(str(c.series))}"
            console.print(line, highlight=False, soft_wrap=True)
            for evidence in c.evidence[:2] if c.rank == 1 else ():
                console.print(f"       {escape(evidence.text)}", highlight=False, soft_wrap=True)
    state = "[green]right[/green]" if verdict.right else "[red]wrong[/red]"
    console.print(
        f"{state}: {verdict.fault}, incident after {verdict.opened_after:.0f} s"
        + (f", cause named after {verdict.named_after:.0f} s" if verdict.named_after else "")
    )
