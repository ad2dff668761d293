"""What the names of many series say, as arrays beside the columns of a window."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int

from rootward.model.kind import EXTERNAL, Kind, harmful_direction, is_report, kind_of, words_of
from rootward.model.series import Series

FELT = frozenset({Kind.LATENCY, Kind.ERRORS})
"""Kinds that users and callers complain about."""
_FAR_END = re.compile(r"(^|_)(remote|client)$")
"""Ends the name of a node that a tracer draws for what it sees from the other end only."""
_SORT = re.compile(r"_?(service|svc|server|api)$")
"""Ends names of services, and is left out where metrics speak of them."""
VIEWED = "_from_"
"""Stands between what was measured and the service that measured it, in the name of a view."""
_LEAST_LETTERS = 5
"""Shorter names of services are found in metrics that do not mean them."""


@dataclass(frozen=True, eq=False)
class Traits:
    """One entry for each series, in the order given."""

    kinds: tuple[Kind, ...]
    external: Bool[np.ndarray, " series"]
    """A caller can see it: latency, errors, traffic."""
    harm: Int[np.ndarray, " series"]
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    load: Bool[np.ndarray, " series"]
    """Traffic: what comes from outside more often than from within."""
    reports: Bool[np.ndarray, " series"]
    """It repeats what something else has noticed: an alarm, or any series of a monitor."""
    elsewhere: Bool[np.ndarray, " series"]
    """By its name it tells of another service than the one that measured it."""
    siblings: Int[np.ndarray, " series"]
    """The same number for the same metric name, whichever service it is measured on."""
    owners: Int[np.ndarray, " series"]
    """Position of the series' service in `services`."""
    services: tuple[str, ...]
    """Sorted by name."""


def traits(series: Sequence[Series]) -> Traits:
    """Read the names; of the same series the same object, for a while."""
    return _read(tuple(series))


@lru_cache(maxsize=8)
def _read(series: tuple[Series, ...]) -> Traits:
    kinds = tuple(kind_of(s.metric) for s in series)
    metrics = {m: k for k, m in enumerate(sorted({s.metric for s in series}))}
    services = tuple(sorted({s.service for s in series}))
    place = {service: k for k, service in enumerate(services)}
    return Traits(
        kinds,
        np.array([kind in EXTERNAL for kind in kinds], dtype=bool),
        np.array([harmful_direction(s.metric) for s in series], dtype=np.int64),
        np.array([kind is Kind.TRAFFIC for kind in kinds], dtype=bool),
        np.array([is_report(s.metric) or is_report(s.service) for s in series], dtype=bool),
        _elsewhere(series, kinds, services),
        np.array([metrics[s.metric] for s in series], dtype=np.int64),
        np.array([place[s.service] for s in series], dtype=np.int64),
        services,
    )


def _elsewhere(
    series: Sequence[Series], kinds: Sequence[Kind], services: Sequence[str]
) -> Bool[np.ndarray, " series"]:
    """Far ends, and latencies and errors whose metric names another service of the window."""
    short = {service: f"_{_SORT.sub('', words_of(service))}_" for service in services}
    telling = {s: name for s, name in short.items() if len(name) >= _LEAST_LETTERS + 2}
    felt = {one.metric for one, kind in zip(series, kinds, strict=True) if kind in FELT}
    named = {
        metric: {name for name in telling.values() if name in f"_{words_of(metric)}_"}
        for metric in felt
    }
    found = [
        _FAR_END.search(words_of(one.service)) is not None
        or bool(
            kind in FELT
            and VIEWED not in one.metric
            and named[one.metric] - {short[one.service]}
            and short[one.service] not in named[one.metric]
        )
        for one, kind in zip(series, kinds, strict=True)
    ]
    return np.array(found, dtype=bool)
