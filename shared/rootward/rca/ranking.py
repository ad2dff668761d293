"""From what was seen to services, most suspect first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.graph import CausalGraph
from rootward.model.kind import resource_of
from rootward.numerics.mechanism import mechanism
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.suspicion import DEPARTED, suspicion
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
BENEATH = 0.5
"""A resource that departed at least so far, in logs, as anything else of its service comes first:
what runs short is felt in latency and errors, not the other way round."""
ALLOCATES = 0.8
"""Memory that departed at least so far as the CPU comes before it: to fill memory takes CPU time,
to compute takes no memory."""
_RUN_SHORT = frozenset({"cpu", "memory", "disk"})
_MOST_SPEAKING = 5
"""Series that speak for one service."""


@dataclass(frozen=True, eq=False)
class Ranking:
    """Services, most suspect first, and what the order rests on."""

    services: tuple[str, ...]
    scores: Float[np.ndarray, " services"]
    """How much speaks against each service, in log deviations, largest first."""
    spoken: tuple[tuple[int, ...], ...]
    """For each service the columns that speak for it, the likeliest origin first; at least one."""
    evidence: Float[np.ndarray, " series"]
    """What each series contributes, after all that explains it away."""
    passed_on: Float[np.ndarray, " series"]
    """Share of each departure that causes in the graph explain: they foretell it, or came first."""
    calls: Calls
    explained: Bool[np.ndarray, " calls"]
    """For each call, whether the callee's departure explains what the caller feels."""
    entry: int | None
    """Position in `traits.services` of the service that users call, where calls are known."""

    @cached_property
    def speaking(self) -> tuple[int, ...]:
        """For each service the column that speaks for it first."""
        return tuple(columns[0] for columns in self.spoken)

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
    weighed = _weighed(seen, calls, graph)
    scores = weighed.scores
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], names.services[k]))
    charged, owned = (_by_service(of, len(scores)) for of in (weighed.charged, names.owners))
    return Ranking(
        services=tuple(names.services[k] for k in order),
        scores=scores[order],
        spoken=tuple(_spoken(seen, weighed.evidence, charged[k] or owned[k]) for k in order),
        evidence=weighed.evidence,
        passed_on=weighed.passed_on,
        calls=weighed.calls,
        explained=weighed.explained,
        entry=weighed.entry,
    )


def most(seen: Observation, calls: tuple[tuple[str, str], ...] = ()) -> float:
    """The score of the first service, in log deviations, without a graph."""
    return float(_weighed(seen, calls, None).scores.max())


@dataclass(frozen=True, eq=False)
class _Weighed:
    """What speaks against each service, in the order of their names; else as in `Ranking`."""

    scores: Float[np.ndarray, " services"]
    evidence: Float[np.ndarray, " series"]
    passed_on: Float[np.ndarray, " series"]
    charged: Int[np.ndarray, " series"]
    """Position of the service that each series speaks against."""
    calls: Calls
    explained: Bool[np.ndarray, " calls"]
    entry: int | None


def _weighed(
    seen: Observation, calls: tuple[tuple[str, str], ...], graph: CausalGraph | None
) -> _Weighed:
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
    return _Weighed(scores, evidence, passed_on, charged, known, explained, start)


def _by_service(positions: Int[np.ndarray, " series"], services: int) -> list[list[int]]:
    """The columns of each service."""
    order = np.argsort(positions, kind="stable")
    ends = np.searchsorted(positions[order], np.arange(1, services))
    return [part.tolist() for part in np.split(order, ends)]


def _spoken(
    seen: Observation, evidence: Float[np.ndarray, " series"], own: list[int]
) -> tuple[int, ...]:
    """Of a service's columns those that departed, the likeliest origin first, then the clearest."""
    own.sort(key=lambda c: (evidence[c], seen.size[c], seen.window.series[c]), reverse=True)
    first = _origin(seen, evidence, own)
    others = [c for c in own if c != first and seen.found.size[c] >= DEPARTED]
    return (first, *others[: _MOST_SPEAKING - 1])


def _origin(seen: Observation, evidence: Float[np.ndarray, " series"], own: list[int]) -> int:
    """Of a service's columns, the clearest first, the one where its trouble is likely to begin."""
    resources = {c: resource_of(seen.window.series[c].metric) for c in own}
    short = [c for c in own if resources[c] in _RUN_SHORT]
    if not short or evidence[short[0]] < BENEATH * seen.surprise[own[0]]:
        return own[0]
    memory = [c for c in short if resources[c] == "memory"]
    is_cpu = resources[short[0]] == "cpu"
    if is_cpu and memory and evidence[memory[0]] >= ALLOCATES * evidence[short[0]]:
        return memory[0]
    return short[0]


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
