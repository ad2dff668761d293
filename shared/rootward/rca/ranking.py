"""From a window with an onset to services, most suspect first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.model.kind import Kind
from rootward.model.traits import Traits, traits
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, departures
from rootward.numerics.suspicion import first_rows, promptness, surprise, suspicion


@dataclass(frozen=True, eq=False)
class Ranking:
    """Services, most suspect first, and what the order rests on."""

    onset: int
    services: tuple[str, ...]
    shares: Float[np.ndarray, " services"]
    """Score of each service; they sum to 1."""
    speaking: tuple[int, ...]
    """For each service the column that speaks most clearly."""
    found: Departures
    surprise: Float[np.ndarray, " series"]
    """How surprising each series' departure is; 0 where there is none."""
    onsets: Int[np.ndarray, " series"]
    """Row of each departure, `NEVER` where there is none."""
    traits: Traits


def rank(window: Window, onset: int) -> Ranking:
    """Services by what speaks against them."""
    names = traits(window.series)
    found = departures(window.values, onset, names.siblings)
    load = np.array([kind is Kind.TRAFFIC for kind in names.kinds], dtype=bool)
    onsets = first_rows(found.z, onset)
    values = surprise(found, names.harm, load) * promptness(onsets, onset, len(window.values))
    kinds = np.array([list(Kind).index(kind) for kind in names.kinds], dtype=np.int64)
    scores = suspicion(values, names.owners, kinds, len(names.services))
    order = sorted(range(len(scores)), key=lambda k: (-scores[k], names.services[k]))
    raw = np.exp(scores[order] - scores.max())
    return Ranking(
        onset,
        tuple(names.services[k] for k in order),
        raw / raw.sum(),
        tuple(_clearest(window, values, names.owners, k) for k in order),
        found,
        values,
        onsets,
        names,
    )


def _clearest(
    window: Window,
    values: Float[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    service: int,
) -> int:
    own = np.flatnonzero(owners == service).tolist()
    return max(own, key=lambda c: (values[c], window.series[c]))
