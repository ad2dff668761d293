"""An incident as a matrix equation: what departed, how it spreads, how kinds show in each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.graph import CausalGraph
from rootward.model.kind import Kind, resource_of
from rootward.model.series import Series

USUAL = float(np.log1p(1.0))
"""Log deviations that a quiet series shows: its usual extreme."""
PASSED_ON = 0.6
"""Share of a disturbance that the services next to it show."""
SHOWS_IN = 0.3
"""Share of a disturbance of a resource that the same service's latency and errors show."""
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "cpu": (Kind.LATENCY, Kind.ERRORS),
    "memory": (Kind.LATENCY, Kind.ERRORS),
    "disk": (Kind.LATENCY, Kind.ERRORS),
    "network": (Kind.LATENCY, Kind.ERRORS, Kind.TRAFFIC),
    Kind.SATURATION: (Kind.LATENCY, Kind.ERRORS),
    Kind.UTILISATION: (Kind.LATENCY, Kind.ERRORS),
    Kind.TRAFFIC: ("cpu", "network", Kind.LATENCY),
    Kind.LATENCY: (Kind.ERRORS,),
}


@dataclass(frozen=True, eq=False)
class Picture:
    """Log deviations of services by kinds of metric, above what is usual for quiet ones."""

    services: tuple[str, ...]
    """All that are known, those that report nothing among them."""
    reporting: Int[np.ndarray, " reporting"]
    """Positions in `services` of the rows of `size`."""
    kinds: tuple[str, ...]
    size: Float[np.ndarray, "reporting kinds"]
    seen: Bool[np.ndarray, "reporting kinds"]
    """Whether the service has a metric of the kind."""
    cells: tuple[tuple[int, int], ...]
    """For each series its row and column in `size`."""


def picture(
    series: Sequence[Series],
    surprise: Float[np.ndarray, " series"],
    others: Iterable[str] = (),
) -> Picture:
    """The largest surprise of each service and kind; `others` are services without a metric."""
    measured = {s.service for s in series}
    services = tuple(sorted(measured | set(others)))
    reporting = [k for k, service in enumerate(services) if service in measured]
    row = {services[k]: r for r, k in enumerate(reporting)}
    named = [str(resource_of(s.metric)) for s in series]
    kinds = tuple(sorted(set(named)))
    cells = tuple((row[s.service], kinds.index(k)) for s, k in zip(series, named, strict=True))
    size = np.zeros((len(reporting), len(kinds)))
    seen = np.zeros(size.shape, dtype=bool)
    for cell, value in zip(cells, surprise.tolist(), strict=True):
        size[cell] = max(size[cell], value - USUAL)
        seen[cell] = True
    return Picture(services, np.array(reporting), kinds, size, seen, cells)


def flows_of_calls(
    calls: Iterable[tuple[str, str]], services: Sequence[str]
) -> Float[np.ndarray, "services services"]:
    """1 at [caller, callee]: what befalls a callee shows at its callers."""
    place = {service: k for k, service in enumerate(services)}
    found = np.zeros((len(services), len(services)))
    for caller, callee in calls:
        if caller != callee and caller in place and callee in place:
            found[place[caller], place[callee]] = 1.0
    return found


def flows_of_graph(
    graph: CausalGraph, services: Sequence[str]
) -> Float[np.ndarray, "services services"]:
    """The largest weight of an edge from one service to another, at [effect, cause]."""
    place = {service: k for k, service in enumerate(services)}
    found = np.zeros((len(services), len(services)))
    for edge in graph.edges:
        cause, effect = place[edge.cause.service], place[edge.effect.service]
        if cause != effect:
            found[effect, cause] = max(found[effect, cause], edge.weight)
    return found


def spread(
    flows: Float[np.ndarray, "services services"], passed_on: float = PASSED_ON
) -> Float[np.ndarray, "services services"]:
    """What a unit disturbance of each service (columns) comes to at every other (rows).

    The resolvent `(I - passed_on P)^-1`; the inflow of a service is at most one, so that no
    cycle amplifies.
    """
    inflow = np.maximum(flows.sum(axis=1, keepdims=True), 1.0)
    return np.linalg.inv(np.eye(len(flows)) - passed_on * flows / inflow)


def couplings(kinds: Sequence[str], shows_in: float = SHOWS_IN) -> Float[np.ndarray, "kinds kinds"]:
    """How a disturbance of one kind (columns) shows in the kinds of the same service (rows)."""
    found = np.eye(len(kinds))
    for column, kind in enumerate(kinds):
        for shown in _SHOWN.get(kind, ()):
            if shown in kinds:
                found[kinds.index(shown), column] = shows_in
    return found
