"""Document: a text that may help with an incident."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rootward.model.incident import Change


@dataclass(frozen=True)
class Document:
    """An earlier incident, or a runbook."""

    name: str
    """INC-7, or the name of a runbook; unique."""
    kind: Literal["incident", "runbook"]
    title: str
    text: str
    """All that is said there; of an incident its diagnosis and evidence in words."""
    answer: str = ""
    """What was found to be the cause, or what helped; empty where nobody knows."""
    onset_unix: float | None = None
    """When an incident began."""
    changes: tuple[Change, ...] = ()
    """What the detector found in an incident."""
