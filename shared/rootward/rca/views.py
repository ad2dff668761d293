"""Single views of an incident: each ranks the services by one kind of evidence alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.model.graph import CausalGraph
from rootward.model.window import Window
from rootward.numerics import scores
from rootward.numerics.suspicion import NEVER, breadth, by_service, second_kind
from rootward.numerics.walk import pagerank
from rootward.rca.observation import Observation
from rootward.rca.ranking import Ranking

DAMPING = 0.85


@dataclass(frozen=True, eq=False)
class Views:
    """Scores of the services, in the order of `traits.services`, by name of the view."""

    services: tuple[str, ...]
    by_name: Mapping[str, Float[np.ndarray, " services"]]
    pagerank: Float[np.ndarray, " series"] | None
    """PageRank of each series, None without edges."""

    def best(self, name: str, count: int) -> tuple[str, ...]:
        """The services that a view ranks first; those that it gives nothing are left out."""
        values = self.by_name[name]
        order = sorted(range(len(values)), key=lambda k: (-values[k], self.services[k]))
        return tuple(self.services[k] for k in order[:count] if values[k] > 0)

    def agreeing(self, service: str) -> tuple[str, ...]:
        """The views in which a service stands first, alone."""
        place = self.services.index(service)
        found = []
        for name, values in self.by_name.items():
            others = np.delete(values, place)
            if values[place] > others.max(initial=0.0):
                found.append(name)
        return tuple(found)


def views(seen: Observation, ranking: Ranking, graph: CausalGraph, symptom: int | None) -> Views:
    """Every view that the data allows."""
    names = seen.traits
    services, owners = len(names.services), names.owners
    found = {
        "size of change": by_service(seen.size, owners, services),
        "breadth": breadth(seen.size, owners, services),
        "two kinds of metric": second_kind(seen.size, owners, seen.kinds, services),
        "onset": by_service(_earliness(seen), owners, services),
    }
    if (ranking.passed_on > 0).any():
        own = seen.size * (1.0 - ranking.passed_on)
        found["mechanism"] = by_service(own, owners, services)
    walked = _walk(seen, graph, symptom) if graph.edges else None
    if walked is not None:
        found["PageRank"] = by_service(walked, owners, services)
    return Views(names.services, found, walked)


def _earliness(seen: Observation) -> Float[np.ndarray, " series"]:
    """Rows from each departure to the end, for departures that are not small."""
    clear = (seen.onsets != NEVER) & (seen.size >= 0.5 * seen.size.max(initial=0.0))
    return np.where(clear, len(seen.window.values) - seen.onsets, 0).astype(np.float64)


def _walk(
    seen: Observation, graph: CausalGraph, symptom: int | None
) -> Float[np.ndarray, " series"]:
    place = {series: k for k, series in enumerate(seen.window.series)}
    columns = [place[series] for series in graph.series]
    start = columns.index(symptom) if symptom in columns else None
    found = np.zeros(len(seen.surprise))
    found[columns] = pagerank(graph.matrix(), seen.surprise[columns], start, DAMPING)
    return found


def opinions(window: Window, onset: int, seen: Observation) -> dict[str, dict[str, float]]:
    """What the published baselines give each service, by their names."""
    before, after = window.values[:onset], window.values[onset:]
    names = seen.traits
    by_sigma = scores.n_sigma(before, after)
    services = len(names.services)
    inside = by_service(np.where(names.external, 0.0, by_sigma), names.owners, services)
    outside = by_service(np.where(names.external, by_sigma, 0.0), names.owners, services)
    alerts = np.bincount(names.owners, scores.alerts(before, after), services)
    found = {
        "n_sigma": by_service(by_sigma, names.owners, services),
        "robust_z": by_service(scores.robust_z(before, after), names.owners, services),
        "baro": by_service(scores.baro(before, after), names.owners, services),
        "prism": np.array([scores.prism(i, o) for i, o in zip(inside, outside, strict=True)]),
        "alert_count": alerts,
    }
    return {
        method: {s: float(v) for s, v in zip(names.services, values, strict=True)}
        for method, values in found.items()
    }
