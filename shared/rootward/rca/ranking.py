"""From a window with an onset to services, most suspect first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.kind import Kind
from rootward.model.traits import Traits, traits
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, departures
from rootward.numerics.suspicion import first_rows, promptness, surprise, suspicion
from rootward.numerics.topology import (
    BEYOND,
    EXPLAINED,
    Calls,
    beyond_reach,
    entry,
    explained_callers,
)
from rootward.rca.callgraph import known_calls, viewers

_FELT = frozenset({Kind.LATENCY, Kind.ERRORS})
_KINDS = tuple(Kind)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Services, most suspect first, and what the order rests on."""

    onset: int
    services: tuple[str, ...]
    scores: Float[np.ndarray, " services"]
    """How much speaks against each service, in log deviations, largest first."""
    speaking: tuple[int, ...]
    """For each service the column that speaks most clearly."""
    found: Departures
    surprise: Float[np.ndarray, " series"]
    """How surprising each series' departure is; 0 where there is none."""
    onsets: Int[np.ndarray, " series"]
    """Row of each departure, `NEVER` where there is none."""
    traits: Traits
    calls: Calls
    explained: Bool[np.ndarray, " calls"]
    """For each call, whether the callee's departure explains what the caller feels."""
    entry: int | None
    """Position in `traits.services` of the service that users call, where calls are known."""

    @property
    def shares(self) -> Float[np.ndarray, " services"]:
        """Scores of the services that sum to 1, softer than the scores are far apart."""
        raw = np.exp(self.scores - self.scores.max())
        return raw / raw.sum()


def rank(window: Window, onset: int, calls: tuple[tuple[str, str], ...] = ()) -> Ranking:
    """Services by what speaks against them; ties stand in order of their names."""
    names = traits(window.series)
    found = departures(window.values, onset, names.siblings)
    load = np.array([kind is Kind.TRAFFIC for kind in names.kinds], dtype=bool)
    onsets = first_rows(found.z, onset)
    values = surprise(found, names.harm, load) * promptness(onsets, onset, len(window.values))
    known = known_calls(names, calls)
    felt = np.array([kind in _FELT for kind in names.kinds], dtype=bool)
    explained = explained_callers(values, felt, names.owners, viewers(window.series, names), known)
    values = np.where(felt & np.isin(names.owners, known[explained, 0]), EXPLAINED, 1.0) * values
    kinds = np.array([_KINDS.index(kind) for kind in names.kinds], dtype=np.int64)
    scores = suspicion(values, names.owners, kinds, len(names.services))
    start = entry(scores, known)
    if start is not None:
        scores = np.where(beyond_reach(start, known, len(scores)), BEYOND, 1.0) * scores
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], names.services[k]))
    return Ranking(
        onset=onset,
        services=tuple(names.services[k] for k in order),
        scores=scores[order],
        speaking=tuple(_clearest(window, values, names.owners, k) for k in order),
        found=found,
        surprise=values,
        onsets=onsets,
        traits=names,
        calls=known,
        explained=explained,
        entry=start,
    )


def _clearest(
    window: Window,
    values: Float[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    service: int,
) -> int:
    own = np.flatnonzero(owners == service).tolist()
    return max(own, key=lambda c: (values[c], window.series[c]))
