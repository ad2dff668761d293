"""From what was seen to services, most suspect first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.graph import CausalGraph
from rootward.numerics.mechanism import mechanism
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.suspicion import suspicion
from rootward.numerics.topology import (
    BEYOND,
    EXPLAINED,
    Calls,
    beyond_reach,
    charged_to,
    entry,
    explained_callers,
)
from rootward.rca.callgraph import known_calls, viewers
from rootward.rca.inheritance import inherited
from rootward.rca.observation import Observation

PASSED_ON = 0.8
"""Largest share of its surprise that a series loses because its causes explain it."""
_MOST_CAUSES = 8
"""Causes of one series that its mechanism is fitted on, strongest first."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Services, most suspect first, and what the order rests on."""

    services: tuple[str, ...]
    scores: Float[np.ndarray, " services"]
    """How much speaks against each service, in log deviations, largest first."""
    speaking: tuple[int, ...]
    """For each service the column that speaks most clearly."""
    evidence: Float[np.ndarray, " series"]
    """What each series contributes, after all that explains it away."""
    passed_on: Float[np.ndarray, " series"]
    """Share of each departure that causes in the graph explain: they foretell it, or came first."""
    calls: Calls
    explained: Bool[np.ndarray, " calls"]
    """For each call, whether the callee's departure explains what the caller feels."""
    entry: int | None
    """Position in `traits.services` of the service that users call, where calls are known."""

    @property
    def shares(self) -> Float[np.ndarray, " services"]:
        """The scores as shares that sum to 1."""
        raw = np.exp(self.scores - self.scores.max())
        return raw / raw.sum()


def rank(
    seen: Observation, calls: tuple[tuple[str, str], ...] = (), graph: CausalGraph | None = None
) -> Ranking:
    """Services by what speaks against them; ties stand in order of their names."""
    names = seen.traits
    known = known_calls(names, calls)
    passed_on = np.zeros(len(seen.surprise))
    if graph is not None and graph.edges:
        passed_on = np.maximum(_foretold(seen, graph), inherited(seen, graph, known))
    evidence = seen.surprise * (1.0 - PASSED_ON * passed_on)
    views = viewers(seen.window.series, names)
    explained = explained_callers(evidence, seen.felt, names.owners, views, known)
    callers = seen.felt & np.isin(names.owners, known[explained, 0])
    evidence = np.where(callers, EXPLAINED, 1.0) * evidence
    charged = charged_to(evidence, seen.felt, names.owners, views)
    scores = suspicion(evidence, charged, seen.kinds, len(names.services))
    start = entry(scores, known)
    if start is not None:
        scores = np.where(beyond_reach(start, known, len(scores)), BEYOND, 1.0) * scores
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], names.services[k]))
    return Ranking(
        services=tuple(names.services[k] for k in order),
        scores=scores[order],
        speaking=tuple(_clearest(seen, evidence, charged, k) for k in order),
        evidence=evidence,
        passed_on=passed_on,
        calls=known,
        explained=explained,
        entry=start,
    )


def _clearest(
    seen: Observation,
    evidence: Float[np.ndarray, " series"],
    charged: Int[np.ndarray, " series"],
    service: int,
) -> int:
    own = np.flatnonzero(charged == service).tolist()
    own = own or np.flatnonzero(seen.traits.owners == service).tolist()
    return max(own, key=lambda c: (evidence[c], seen.size[c], seen.window.series[c]))


def _foretold(seen: Observation, graph: CausalGraph) -> Float[np.ndarray, " series"]:
    """How far the causes of each series, in other services, foretell the size of its departure."""
    window = seen.window
    place = {series: k for k, series in enumerate(window.series)}
    causes: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for edge in graph.edges:
        if edge.cause.service != edge.effect.service:
            causes[place[edge.effect]].append((-edge.weight, place[edge.cause], edge.lag))
    since_gap = rows_since_gap(window.times, window.step_seconds)
    found = np.zeros(len(window.series))
    for effect, known in causes.items():
        strongest = [(column, lag) for _, column, lag in sorted(known)[:_MOST_CAUSES]]
        found[effect] = mechanism(seen.found.z, seen.onset, since_gap, effect, strongest).passed_on
    return found
