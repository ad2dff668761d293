"""How the detector and the jobs work; the CLI fills it from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rootward.numerics.departure import Rule


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """One value for each thing an operator may want to change."""

    step_seconds: float = 15.0
    """Distance between rows."""
    window_rows: int = 360
    """Rows that detector and diagnosis look back over."""
    retention_seconds: float = 86400.0
    """How long samples are kept."""
    seed: int = 0
    """Seed of every random choice in a diagnosis."""
    discovery: str = "neural_granger"
    """Name of the method that learns the causal graph."""
    most_series: int = 50_000
    """Series of a tenant that the detector follows; more are stored and not watched."""
    quiet_rows: int = 5
    """Rows without a symptom after which an incident is over."""
    hold_seconds: float = 300.0
    """A symptom that returns so soon after it was last seen reopens its incident."""
    new_normal_seconds: float = 7200.0
    """An incident whose symptom stays for so long, and for half a window, is the new normal."""
    settled_rows: int = 13
    """Rows of an incident after which it is diagnosed a second time."""
    graphs_seconds: float = 3600.0
    """How often the causal graph of each service is looked at; 0: none is kept."""
    runbooks: Path | None = None
    """Folder with runbooks in Markdown, which become documents."""
    rule: Rule = field(default_factory=Rule)
