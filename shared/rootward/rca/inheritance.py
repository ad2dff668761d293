"""Which departures are inherited: a service that drives this one departed first, or with it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.model.graph import CausalGraph
from rootward.model.kind import Kind
from rootward.numerics.suspicion import NEVER
from rootward.numerics.topology import Calls
from rootward.rca.observation import Observation

SMALLER = 0.5
"""A driver may have departed less, in log deviations: from this share on it explains in full."""


def drivers(
    seen: Observation, graph: CausalGraph, calls: Calls
) -> Float[np.ndarray, "services services"]:
    """At [cause, effect] how sure it is that what users feel of one service comes from another.

    The surest edge into the effect's latency or errors, from anything but load: an edge between
    two metrics tells that their services are coupled, whichever metrics a fault then moves.
    Between services that the known calls know, only a callee drives its caller.
    """
    names = seen.traits
    place = {series: k for k, series in enumerate(seen.window.series)}
    called = {(int(caller), int(callee)) for caller, callee in calls}
    known = {service for call in called for service in call}
    found = np.zeros((len(names.services), len(names.services)))
    for edge in graph.edges:
        cause, effect = place[edge.cause], place[edge.effect]
        giver, taker = int(names.owners[cause]), int(names.owners[effect])
        if giver == taker or not seen.felt[effect] or names.kinds[cause] is Kind.TRAFFIC:
            continue
        if {giver, taker} <= known and (taker, giver) not in called:
            continue
        sure = 1.0 if edge.confidence is None else edge.confidence
        found[giver, taker] = max(found[giver, taker], sure)
    return found


def inherited(seen: Observation, graph: CausalGraph, calls: Calls) -> Float[np.ndarray, " series"]:
    """Share of each departure, 0 to 1, that came from the services that drive this one.

    The size of the driver's departure need not foretell that of the effect: a queue that fills
    makes callers wait far beyond what was ever seen before, and a small service is measured
    badly. What counts is that a driver departed no later, and not by much less.
    """
    names, found = seen.traits, np.zeros(len(seen.size))
    sure = drivers(seen, graph, calls)
    moved = seen.onsets != NEVER
    for column in np.flatnonzero(seen.felt & moved & (seen.size > 0)).tolist():
        first = moved & ~names.load & (seen.onsets <= seen.onsets[column])
        size = np.zeros(len(names.services))
        np.maximum.at(size, names.owners[first], seen.size[first])
        share = np.minimum(size / (SMALLER * seen.size[column]), 1.0)
        found[column] = float((share * sure[:, names.owners[column]]).max())
    return found
