"""What the names of a frame's series say to the detector; read once for each set of series."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rootward.model.kind import Kind, harmful_direction, kind_of
from rootward.model.series import INSTANCE, Series

FILLS = re.compile(r"mem|rss|heap|fds?$|filefd|disk_used|fs_usage|connections|threads")
"""Names of resources that can run out."""
RESOURCES = (Kind.UTILISATION, Kind.SATURATION)

_OF_THE_MONITORING = re.compile(r"^scrape_|^python_|^go_|^jvm_|gc_|promhttp|rootward_")
_SHARE = re.compile(r"ratio|rate|percent|success|availab|%")
_FLOOR = {Kind.LATENCY: 0.1, Kind.TRAFFIC: 0.1, Kind.SATURATION: 0.1}
"""Least relative deviation that counts as one; 0.05 elsewhere."""


@dataclass(frozen=True, eq=False)
class Names:
    """One entry for each series of a frame."""

    kind: tuple[Kind, ...]
    direction: np.ndarray
    """+1 where high values harm, -1 where low ones do, 0 where either may."""
    symptom: np.ndarray
    """Whether a caller feels it."""
    resource: np.ndarray
    """Whether it is used up or saturated."""
    fills: np.ndarray
    """Whether it is something that can run out."""
    failures: np.ndarray
    """Whether it counts errors, or says whether a service is there."""
    counted: np.ndarray
    """Whether it is a rate of failures, not a share."""
    may_be_share: np.ndarray
    """Whether it may be a share of all, by its name."""
    floor: np.ndarray
    """Least relative deviation that counts as one."""
    metric: np.ndarray
    """The same number for the same metric of all services."""
    service: np.ndarray
    """Position in `services`."""
    services: tuple[str, ...]
    column: Mapping[Series, int]


@lru_cache(maxsize=16)
def names_of(series: tuple[Series, ...]) -> Names:
    """Read the names."""
    kinds = tuple(kind_of(s.metric) for s in series)
    counted = _flags(s.metric.endswith("_errors_rate") for s in series)
    errors = _flags(kind is Kind.ERRORS for kind in kinds)
    share = _flags(_SHARE.search(s.metric) is not None for s in series)
    fills = _flags(FILLS.search(s.metric) is not None for s in series)
    resource = _flags(kind in RESOURCES for kind in kinds)
    metric, _ = _numbered([s.metric for s in series])
    service, services = _numbered([s.service for s in series])
    return Names(
        kind=kinds,
        direction=np.array([harmful_direction(s.metric) for s in series], dtype=np.int64),
        symptom=_symptoms(series, kinds),
        resource=resource,
        fills=fills,
        failures=errors | _flags(s.metric == "up" for s in series),
        counted=counted,
        may_be_share=errors & share & ~counted,
        floor=np.array([_FLOOR.get(kind, 0.05) for kind in kinds]),
        metric=metric,
        service=service,
        services=services,
        column={one: c for c, one in enumerate(series)},
    )


def _flags(values: Iterable[bool]) -> np.ndarray:
    return np.fromiter(values, dtype=bool)


def _numbered(words: list[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Each word by its number, in the order in which they appear."""
    number: dict[str, int] = {}
    found = [number.setdefault(word, len(number)) for word in words]
    return np.array(found, dtype=np.int64), tuple(number)


def _symptoms(series: tuple[Series, ...], kinds: tuple[Kind, ...]) -> np.ndarray:
    """Which series a caller feels; traffic only where it is that of a whole service."""
    instances: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in series:
        instances[(one.metric, one.service)].add(one.instance)
    felt = []
    for one, kind in zip(series, kinds, strict=True):
        only = len(instances[(one.metric, one.service)] - {""}) <= 1 or not one.label(INSTANCE)
        felt.append(
            not _OF_THE_MONITORING.search(one.metric)
            and (
                kind in (Kind.LATENCY, Kind.ERRORS)
                or one.metric == "up"
                or (kind is Kind.TRAFFIC and only)
            )
        )
    return np.array(felt, dtype=bool)
