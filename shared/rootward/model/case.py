"""Case: all that a method may look at."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.model.graph import CausalGraph
from rootward.model.window import Window


@dataclass(frozen=True, eq=False)
class Case:
    """A window, the column of the symptom, and a seed; more only where a method asks for it."""

    window: Window
    symptom: int | None = None
    """Column of `window.values`; None where nobody named one."""
    seed: int = 0
    graph: CausalGraph | None = None
    """Present if the method needs GRAPH."""
    history: tuple[Window, ...] = ()
    """Earlier windows, oldest first; present if the method needs HISTORY."""
    calls: tuple[tuple[str, str], ...] = ()
    """Known call edges (caller, callee) between services; empty where no topology is known."""
