"""Known calls between services, in the positions of a window's services and series."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from rootward.model.series import Series
from rootward.model.traits import VIEWED, Traits
from rootward.numerics.topology import Calls
from rootward.rca.labelled_calls import CALLER_LABELS

_STATISTIC = re.compile(r"_(mean|p\d+|rate|errors_ratio)$")


def known_calls(traits: Traits, calls: tuple[tuple[str, str], ...]) -> Calls:
    """The calls between services of the window; unknown names and self-calls are left out."""
    place = {service: k for k, service in enumerate(traits.services)}
    pairs = sorted({(place[a], place[b]) for a, b in calls if a in place and b in place and a != b})
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@lru_cache(maxsize=8)
def viewers(series: tuple[Series, ...], traits: Traits) -> Int[np.ndarray, " series"]:
    """Position of the service from which each series was measured, -1 for its own.

    A metric `…_from_<service>`, with a statistic behind it or not, and Istio's source labels
    say so.
    """
    place = {service: k for k, service in enumerate(traits.services)}
    found = [place.get(_viewer(one), -1) for one in series]
    own = np.array(found, dtype=np.int64)
    return np.where(own == traits.owners, -1, own)


def _viewer(series: Series) -> str:
    for label in CALLER_LABELS:
        if value := series.label(label):
            return value
    _, viewed, caller = series.metric.rpartition(VIEWED)
    return _STATISTIC.sub("", caller) if viewed else ""
