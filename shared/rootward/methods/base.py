"""What a method is: a question, a paper, parameters, and a way to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidConfiguration
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.result import Bars, Caveat, CaveatCode, GraphBlock, Inputs, Result
from rootward.model.spread import Arrays, GoOn
from rootward.model.window import Window


class Family(StrEnum):
    """What kind of question a method answers; also its folder."""

    DISCOVERY = "discovery"
    RANKING = "ranking"
    CHANGE = "change"
    EFFECTS = "effects"
    COUNTERFACTUALS = "counterfactuals"
    INVARIANCE = "invariance"
    DECISIONS = "decisions"
    REASONING = "reasoning"
    SIGNATURES = "signatures"
    TRAINING = "training"
    RECOVERY = "recovery"
    MAPS = "maps"
    RETRIEVAL = "retrieval"


class Need(StrEnum):
    """What a method asks for beside the window; where it is missing the method cannot apply."""

    GRAPH = "graph"
    HISTORY = "history"
    ONSET = "onset"
    SYMPTOM = "symptom"
    CALLS = "calls"
    CHANGES = "changes"
    CANDIDATES = "candidates"
    DOCUMENTS = "documents"
    EXPERIMENT = "experiment"
    TEXT = "text"


class Provenance(StrEnum):
    """How near the code is to the paper."""

    PAPER = "paper"
    """The algorithm as it was published."""
    RECONSTRUCTION = "reconstruction"
    """The paper leaves parts open, or they could not be read; those are ours."""
    ASSUMED = "assumed"
    """The paper gave the idea; what is computed is our own choice."""


class Scope(StrEnum):
    """What a method is about."""

    INCIDENT = "incident"
    FLEET = "fleet"
    """All incidents of a tenant."""
    EXPERIMENT = "experiment"
    """A rollout, a flag, a canary."""
    MODEL = "model"
    """The forecasters behind the diagnosis."""
    TEXT = "text"
    """Something that was said or written."""


class Anchor(StrEnum):
    """Where on the page of an incident a method is offered."""

    SUMMARY = "summary"
    CANDIDATES = "candidates"
    TIMELINE = "timeline"
    METRICS = "metrics"
    GRAPH = "graph"
    CHANGES = "changes"
    PATTERNS = "patterns"
    ACTIONS = "actions"
    SIMILAR = "similar"
    POSTMORTEM = "postmortem"
    MODELS = "models"
    """Beside what is said of the forecasters."""


class Cost(StrEnum):
    """How long the defaults take on two cores, for an incident of usual size."""

    INSTANT = "instant"
    """Under two seconds."""
    SECONDS = "seconds"
    """Under ten."""
    MINUTES = "minutes"
    """Under two."""


class Trigger(StrEnum):
    """What makes a method run."""

    INCIDENT = "incident"
    """Every diagnosis; only for what is instant."""
    REQUEST = "request"
    """Someone asks."""


HOME: Mapping[Family, Anchor] = {
    Family.DISCOVERY: Anchor.GRAPH,
    Family.RANKING: Anchor.CANDIDATES,
    Family.CHANGE: Anchor.TIMELINE,
    Family.EFFECTS: Anchor.CHANGES,
    Family.COUNTERFACTUALS: Anchor.METRICS,
    Family.INVARIANCE: Anchor.METRICS,
    Family.DECISIONS: Anchor.ACTIONS,
    Family.REASONING: Anchor.POSTMORTEM,
    Family.SIGNATURES: Anchor.PATTERNS,
    Family.TRAINING: Anchor.MODELS,
    Family.RECOVERY: Anchor.CANDIDATES,
    Family.MAPS: Anchor.GRAPH,
    Family.RETRIEVAL: Anchor.SIMILAR,
}
"""Where a family is offered unless a method says otherwise."""


TIME_IS_UP = Caveat(CaveatCode.DEADLINE, "Time was up; this is the best answer until then.")
"""For a method that `Case.go_on` told to end."""


@dataclass(frozen=True)
class About:
    """How a method presents itself."""

    name: str
    """Stable id: API, database, file name."""
    family: Family
    question: str
    """What an engineer would ask, with a question mark."""
    paper: str
    """Authors, year, title, identifier."""
    needs: frozenset[Need] = frozenset()
    provenance: Provenance = Provenance.PAPER
    provenance_note: str = ""
    """What is ours, where the code is not the paper's algorithm throughout."""
    scope: Scope = Scope.INCIDENT
    anchors: tuple[Anchor, ...] = ()
    """Where it is offered; empty: at the home of its family, see `offered_at`."""
    cost: Cost = Cost.SECONDS
    trigger: Trigger = Trigger.REQUEST
    assumptions: tuple[str, ...] = ()
    """What must hold for the answer to be right, each a sentence shown to the reader."""
    limits: tuple[str, ...] = ()
    """What must not be concluded whatever the data, each a sentence shown to the reader."""
    measured: tuple[str, ...] = ()
    """Figures of its acceptance test beside those of the named baseline, each a sentence."""
    library: str = ""
    """Import name of a library that it needs and that may be missing."""
    level: float | None = None
    """Share of false claims on data without an effect that it keeps to, such as 0.05.

    None for a method that claims no detection. With a level, every result sets `found`.
    """

    @property
    def offered_at(self) -> tuple[Anchor, ...]:
        """The anchors, or the home of the family."""
        return self.anchors or (HOME[self.family],)

    @property
    def default(self) -> bool:
        """Whether it runs on every incident by itself."""
        return self.trigger is Trigger.INCIDENT


class Method(ABC):
    """A frozen dataclass: its fields are its parameters."""

    about: ClassVar[About]
    exceptions: ClassVar[Mapping[str, str]] = {}
    """Checks of `rootward.testing.checks` that do not hold for it, each with the reason."""
    quick: ClassVar[Mapping[str, int | float | str | bool]] = {}
    """Parameters for those checks that ask for form and not for quality: fewer steps."""

    @abstractmethod
    def run(self, case: Case) -> Result:
        """Answer the question.

        Raises:
            InsufficientData: the case holds too little for an honest answer.
        """

    @staticmethod
    def part(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
        """One part of what the method gives to `Case.spread`, in whatever process.

        Raises:
            InvalidConfiguration: the method has none, in this version.
        """
        raise InvalidConfiguration("this method has no parts; run one version everywhere")


class DiscoveryMethod(Method):
    """Learns a causal graph; subclasses give only the graph."""

    @abstractmethod
    def discover(self, window: Window, seed: int) -> CausalGraph:
        """The causal graph of the window's baseline rows.

        Raises:
            InsufficientData: too few rows or series.
        """

    def learn(self, case: Case) -> CausalGraph:
        """`discover`, unless a method that takes long ends at the case's deadline."""
        return self.discover(case.window, case.seed)

    def run(self, case: Case) -> Result:
        """Show the graph, strongest edges in words."""
        graph = self.learn(case)
        strongest = sorted(graph.edges, key=lambda e: -e.weight)[:1]
        answer = f"{len(graph.edges)} causal edges between {len(graph.series)} series"
        for edge in strongest:
            lag = edge.lag * case.window.step_seconds
            answer += f"; the strongest is {edge.cause} → {edge.effect} after {lag:g} s"
        late = case.deadline.passed
        return Result(
            answer + ".",
            (GraphBlock("Causal graph", graph),),
            status="weak" if late else "ok",
            caveats=(TIME_IS_UP,) if late else (),
            inputs=Inputs.of(case.window),
        )


class RankingMethod(Method):
    """Scores series by how likely the incident began there; subclasses give the scores."""

    @abstractmethod
    def scores(self, case: Case) -> Float[np.ndarray, " series"]:
        """One score for each column of the window, higher is more suspect; never NaN.

        Raises:
            InsufficientData: too few rows, or the onset is needed and not known.
        """

    def service_scores(self, case: Case) -> dict[str, float]:
        """One score for each service: the largest of its series, unless a method knows better."""
        best: dict[str, float] = {}
        for series, score in zip(case.window.series, self.scores(case), strict=True):
            best[series.service] = max(best.get(series.service, -np.inf), float(score))
        return best

    def run(self, case: Case) -> Result:
        """Show the ten most suspect services."""
        ranked = sorted(self.service_scores(case).items(), key=lambda pair: (-pair[1], pair[0]))
        top = ranked[:10]
        bars = Bars("Services by score", tuple(s for s, _ in top), tuple(v for _, v in top))
        answer = f"{top[0][0]} stands first with a score of {top[0][1]:.3g}."
        return Result(answer, (bars,), inputs=Inputs.of(case.window))
