"""Case: all that a method may look at, and how long it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rootward.model.change_event import ChangeEvent, just_before
from rootward.model.deadline import NEVER, Deadline
from rootward.model.experiment import Experiment
from rootward.model.graph import CausalGraph
from rootward.model.incident import Candidate, Change
from rootward.model.outcome import Outcome
from rootward.model.past import Document
from rootward.model.spread import Spread, in_turn
from rootward.model.window import Window


def _unheard(share: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True, eq=False)
class Case:
    """A window, the column of the symptom, and a seed; more only where a method asks for it.

    `graph`, `history`, `changes`, `candidates`, `documents`, `experiment` and `text` are there
    if the method's `About.needs` names them, and else empty.
    """

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
    changes: tuple[Change, ...] = ()
    """What the detector found in this incident, earliest onset first; CHANGES."""
    done: tuple[ChangeEvent, ...] = ()
    """What people and machines did to the system from half an hour before the onset until it."""
    candidates: tuple[Candidate, ...] = ()
    """What the diagnosis ranks, most likely first; CANDIDATES."""
    documents: tuple[Document, ...] = ()
    """Earlier incidents, oldest first, then runbooks; DOCUMENTS."""
    experiment: Experiment | None = None
    """Units that got a rollout and units that did not; EXPERIMENT."""
    outcomes: tuple[Outcome, ...] = ()
    """What came of checks and remedies in this and other incidents of the tenant, oldest first;
    may be empty. Present with `candidates`."""
    text: str = ""
    """What is said of the incident: its title, the diagnosis and its evidence in words; TEXT."""
    deadline: Deadline = NEVER
    """When to end with what there is."""
    progress: Callable[[float], None] = field(default=_unheard, repr=False)
    """Hears which share of the work is done, 0 to 1."""
    spread: Spread = field(default=in_turn, repr=False)
    """Does the parts of a large computation; other workers may help."""

    def done_to(self, service: str) -> str:
        """What was done to a service last before the onset, as a sentence; empty for nothing."""
        onset = self.window.onset_unix
        if onset is None:
            return ""
        events = just_before(self.done, service, onset)
        return events[-1].in_words(service, onset) if events else ""

    def go_on(self, share: float = 0.0) -> bool:
        """Tell which share is done, and learn whether there is time for more.

        A method with a loop asks in every round, at least twice a second; told no, it ends with
        the best it has, status `weak` and the caveat DEADLINE, or raises `InsufficientData`.
        """
        self.progress(share)
        return not self.deadline.passed
