"""What a method is: a question, a paper, parameters, and a way to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.result import Bars, GraphBlock, Result
from rootward.model.window import Window


class Family(StrEnum):
    """What kind of question a method answers; also its folder."""

    DISCOVERY = "discovery"
    RANKING = "ranking"
    CHANGE = "change"


class Need(StrEnum):
    """What a method asks for beside the window."""

    GRAPH = "graph"
    HISTORY = "history"
    ONSET = "onset"


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
    default: bool = False
    """Run on every incident?"""


class Method(ABC):
    """A frozen dataclass: its fields are its parameters."""

    about: ClassVar[About]
    exceptions: ClassVar[Mapping[str, str]] = {}
    """Checks of `rootward.testing.checks` that do not hold for it, each with the reason."""

    @abstractmethod
    def run(self, case: Case) -> Result:
        """Answer the question.

        Raises:
            InsufficientData: the case holds too little for an honest answer.
        """


class DiscoveryMethod(Method):
    """Learns a causal graph; subclasses give only the graph."""

    @abstractmethod
    def discover(self, window: Window, seed: int) -> CausalGraph:
        """The causal graph of the window's baseline rows.

        Raises:
            InsufficientData: too few rows or series.
        """

    def run(self, case: Case) -> Result:
        """Show the graph, strongest edges in words."""
        graph = self.discover(case.window, case.seed)
        strongest = sorted(graph.edges, key=lambda e: -e.weight)[:1]
        answer = f"{len(graph.edges)} causal edges between {len(graph.series)} series"
        for edge in strongest:
            lag = edge.lag * case.window.step_seconds
            answer += f"; the strongest is {edge.cause} → {edge.effect} after {lag:g} s"
        return Result(answer + ".", (GraphBlock("Causal graph", graph),))


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
        return Result(f"{top[0][0]} stands first with a score of {top[0][1]:.3g}.", (bars,))
