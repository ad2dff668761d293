"""Keep what a diagnosis was asked, so that it can be made again elsewhere, bit for bit."""

from __future__ import annotations

import logging
from importlib import metadata

from rootward import __version__
from rootward.bundle.question import Question, packed
from rootward.model.incident import Incident
from rootward.model.window import Window
from rootward.ports import Platform
from rootward_worker.options import WorkerOptions

log = logging.getLogger(__name__)

KEPT_SECONDS = 30 * 86_400.0
"""How long they are kept."""
MOST_VALUES = 8_000_000
"""Of a larger window nothing is kept: 64 MB before it is packed."""
LIBRARIES = ("numpy", "scipy", "torch")


def keep(
    platform: Platform,
    options: WorkerOptions,
    incident: Incident,
    window: Window,
    calls: tuple[tuple[str, str], ...],
) -> None:
    """Store the rows of a diagnosis with its calls and settings, unless they are too many."""
    if window.values.size > MOST_VALUES:
        log.warning("window too large to be kept", extra={"incident": incident.id})
        return
    question = Question(
        window, incident.symptom, options.discovery, options.seed, versions(), calls
    )
    platform.exhibits.keep(incident.id, packed(question), incident.tenant)


def versions() -> tuple[tuple[str, str], ...]:
    """Of Rootward and the libraries that the numbers come from."""
    found = [("rootward", __version__), *((name, metadata.version(name)) for name in LIBRARIES)]
    return tuple(found)
