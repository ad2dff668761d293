"""What the names of many series say, as arrays beside the columns of a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from rootward.model.kind import EXTERNAL, Kind, harmful_direction, kind_of
from rootward.model.series import Series


@dataclass(frozen=True, eq=False)
class Traits:
    """One entry for each series, in the order given."""

    kinds: tuple[Kind, ...]
    external: Bool[np.ndarray, " series"]
    """A caller can see it: latency, errors, traffic."""
    harm: Int[np.ndarray, " series"]
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    siblings: Int[np.ndarray, " series"]
    """The same number for the same metric name, whichever service it is measured on."""
    owners: Int[np.ndarray, " series"]
    """Position of the series' service in `services`."""
    services: tuple[str, ...]
    """Sorted by name."""


def traits(series: Sequence[Series]) -> Traits:
    """Read the names."""
    kinds = tuple(kind_of(s.metric) for s in series)
    metrics = {m: k for k, m in enumerate(sorted({s.metric for s in series}))}
    services = tuple(sorted({s.service for s in series}))
    place = {service: k for k, service in enumerate(services)}
    return Traits(
        kinds,
        np.array([kind in EXTERNAL for kind in kinds], dtype=bool),
        np.array([harmful_direction(s.metric) for s in series], dtype=np.int64),
        np.array([metrics[s.metric] for s in series], dtype=np.int64),
        np.array([place[s.service] for s in series], dtype=np.int64),
        services,
    )
