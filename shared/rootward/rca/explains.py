"""How much of the symptom's excess would go, were a service held at its baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np

from rootward.model.graph import CausalGraph
from rootward.model.kind import Kind
from rootward.numerics.holding import Law, laws, shares_taken_away
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.suspicion import DEPARTED
from rootward.rca.observation import Observation
from rootward.rca.ranking import Ranking

LEAST_FIT = 0.1
"""Share of the symptom's baseline that the model must foretell before it is asked."""
FAR_OFF = 0.5
"""How far below 0 or above 1 a share may lie before the model is not believed."""
_MOST_CAUSES = 8
"""Causes of one series in the model, strongest first."""
_UPWARDS = (Kind.LATENCY, Kind.ERRORS)
"""Kinds that run from callee to caller; traffic runs the other way."""


@dataclass(frozen=True)
class Held:
    """What holding each service at its baseline would take away."""

    shares: Mapping[str, float]
    """Share of the symptom's excess, 0 to 1, by service; those it cannot be told for are out."""
    fit: float
    """Share of the symptom's held-out baseline variance that the model foretells."""


UNTOLD = Held({}, 0.0)


def explained_shares(
    seen: Observation, ranking: Ranking, graph: CausalGraph, symptom: int | None, count: int
) -> Held:
    """For the first `count` services, a linear lagged model's answer; empty where it cannot tell.

    The causes of a series are those of the causal graph, and what its service's callees (for
    traffic: callers) measure of the same kind where the graph has no edge between the two. The
    weights are fitted on the baseline. Nothing is told of the symptom's own service, nor of one
    that the model does not link to the symptom, nor where the symptom hardly departed or the
    model foretells its baseline badly.
    """
    if symptom is None or seen.found.size[symptom] < DEPARTED:
        return UNTOLD
    z, names = seen.found.z, seen.traits
    causes = _upstream(_causes(seen, ranking, graph), symptom)
    since_gap = rows_since_gap(seen.window.times, seen.window.step_seconds)
    known = laws(z, seen.onset, since_gap, causes)
    if symptom not in known or known[symptom].fit < LEAST_FIT:
        return UNTOLD
    place = {service: k for k, service in enumerate(names.services)}
    linked = set(names.owners[_reached(_kept(known), symptom)].tolist())
    linked.discard(int(names.owners[symptom]))
    others = [s for s in ranking.services[:count] if place[s] in linked]
    held = np.array([names.owners == place[s] for s in others], dtype=bool)
    if not others:
        return UNTOLD
    found = shares_taken_away(z, seen.onset, known, held, symptom)
    shares = {
        service: float(np.clip(share, 0.0, 1.0))
        for service, share in zip(others, found.tolist(), strict=True)
        if -FAR_OFF <= share <= 1 + FAR_OFF
    }
    return Held(shares, known[symptom].fit)


_Causes = dict[int, list[tuple[int, int]]]


def _causes(seen: Observation, ranking: Ranking, graph: CausalGraph) -> _Causes:
    place = {series: k for k, series in enumerate(seen.window.series)}
    learnt: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for edge in graph.edges:
        learnt[place[edge.effect]].append((-edge.weight, place[edge.cause], edge.lag))
    found: _Causes = defaultdict(list)
    for effect, edges in learnt.items():
        found[effect] = [(cause, lag) for _, cause, lag in sorted(edges)[:_MOST_CAUSES]]
    owners = seen.traits.owners
    for effect, cause, lags in _along_calls(seen, ranking):
        if not any(owners[one] == owners[cause] for _, one, _ in learnt[effect]):
            found[effect] += [(cause, lag) for lag in lags]
    return found


def _along_calls(seen: Observation, ranking: Ranking) -> list[tuple[int, int, tuple[int, ...]]]:
    """(effect, cause, lags) along known calls, one cause for each effect, service and kind.

    Services that call each other in a circle affect each other from the next row on.
    """
    kinds, owners = seen.traits.kinds, seen.traits.owners
    circles: nx.DiGraph[int] = nx.DiGraph(ranking.calls.tolist())
    ring = {s: k for k, part in enumerate(nx.strongly_connected_components(circles)) for s in part}
    found: list[tuple[int, int, tuple[int, ...]]] = []
    for caller, callee in ranking.calls.tolist():
        lags = (1,) if ring[caller] == ring[callee] else (0, 1)
        for kind in (*_UPWARDS, Kind.TRAFFIC):
            giver, taker = (callee, caller) if kind in _UPWARDS else (caller, callee)
            given = [k for k in np.flatnonzero(owners == giver).tolist() if kinds[k] is kind]
            taken = [k for k in np.flatnonzero(owners == taker).tolist() if kinds[k] is kind]
            found += [(k, _closest(seen, k, given), lags) for k in taken if given]
    return found


def _closest(seen: Observation, effect: int, causes: list[int]) -> int:
    """The cause that moves most alike with the effect in the baseline."""
    z = np.clip(np.nan_to_num(seen.found.z[: seen.onset]), -10.0, 10.0)
    z = z - z.mean(axis=0)
    series = seen.window.series
    norm = np.sqrt((z[:, causes] ** 2).sum(axis=0)) + 1e-12
    alike = np.abs(z[:, effect] @ z[:, causes]) / norm
    return max(zip(alike.tolist(), (series[c] for c in causes), causes, strict=True))[2]


def _upstream(causes: _Causes, symptom: int) -> _Causes:
    """The part of the model that the symptom hangs on."""
    return {effect: causes[effect] for effect in _reached(causes, symptom) if causes.get(effect)}


def _kept(known: Mapping[int, Law]) -> _Causes:
    return {effect: list(law.causes) for effect, law in known.items()}


def _reached(causes: _Causes, symptom: int) -> list[int]:
    """The symptom and all columns from which causes lead to it."""
    reached, waiting = {symptom}, [symptom]
    while waiting:
        for cause, _ in causes.get(waiting.pop(), ()):
            if cause not in reached:
                reached.add(cause)
                waiting.append(cause)
    return sorted(reached)
