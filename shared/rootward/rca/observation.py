"""What can be seen of each series around an onset, before anything is ranked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import median as median_of

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.model.kind import Kind, unit_of
from rootward.model.series import INSTANCE, Series
from rootward.model.traits import FELT, Traits, traits
from rootward.model.window import Window
from rootward.numerics.anomaly import LEVEL_FLOOR, Departures, departures, median
from rootward.numerics.suspicion import NEVER, first_rows, promptness, surprise, worth
from rootward.rca.frame import STATISTIC

_WAITED = frozenset({Kind.LATENCY, Kind.SATURATION})
_TIMES = frozenset({"s", "ms"})
_KINDS = tuple(Kind)


@dataclass(frozen=True, eq=False)
class Observation:
    """A window with its onset, and the departure of each series."""

    window: Window
    onset: int
    traits: Traits
    found: Departures
    size: Float[np.ndarray, " series"]
    """Surprise in log deviations, 0 where nothing happened."""
    surprise: Float[np.ndarray, " series"]
    """The same, less for those that departed late."""
    onsets: Int[np.ndarray, " series"]
    """Row of each departure, `NEVER` where there is none."""

    @property
    def felt(self) -> Bool[np.ndarray, " series"]:
        """Which series tell what users and callers feel."""
        return np.array([kind in FELT for kind in self.traits.kinds], dtype=bool)

    @property
    def kinds(self) -> Int[np.ndarray, " series"]:
        """The kind of each series as a number."""
        return np.array([_KINDS.index(kind) for kind in self.traits.kinds], dtype=np.int64)

    def spoken(self, series: Series) -> str:
        """The series as a person would name it: the instance only where a service has several."""
        own = (s.instance for s in self.window.series if s.service == series.service)
        instances = set(filter(None, own))
        labels = tuple((k, v) for k, v in series.labels if k != INSTANCE or len(instances) > 1)
        return str(Series(series.metric, labels))

    @property
    def departed(self) -> bool:
        """Whether any series left its baseline for longer than one row."""
        return bool((self.onsets != NEVER).any())


def observe(window: Window, onset: int) -> Observation:
    """Compare each series after the onset with itself before."""
    names = traits(window.series)
    least = _noticeable(window, onset, names)
    found = departures(window.values, onset, names.siblings, least=least)
    found = replace(found, gone=np.where(_idle(window, onset, names), 0.0, found.gone))
    size = surprise(found, names.harm, worth(names.load, names.reports, names.elsewhere))
    onsets = first_rows(found.z, onset)
    prompt = promptness(onsets, onset, len(window.values))
    return Observation(window, onset, names, found, size, size * prompt, onsets)


def _idle(window: Window, onset: int, names: Traits) -> Bool[np.ndarray, " series"]:
    """Latencies, error shares and other statistics of requests, of a process that still reports.

    Without requests they have no value, so that they are missing says only that no request
    came; that is for the traffic to tell. A series that vanished with all others is gone.
    """
    share = np.isfinite(window.values[onset:]).mean(axis=0)
    owners = [(s.service, s.instance) for s in window.series]
    best: dict[tuple[str, str], float] = {}
    for owner, measured in zip(owners, share.tolist(), strict=True):
        best[owner] = max(best.get(owner, 0.0), measured)
    reporting = np.array([best[owner] >= 0.5 for owner in owners], dtype=bool)
    of_requests = [
        kind in FELT or STATISTIC.search(one.metric) is not None
        for kind, one in zip(names.kinds, window.series, strict=True)
    ]
    return reporting & np.array(of_requests, dtype=bool)


def _noticeable(window: Window, onset: int, names: Traits) -> Float[np.ndarray, " series"]:
    """For what is waited on, a hundredth of the service's usual latency; 0 for all else.

    A queue that is always empty has no scale of its own, and its first microseconds of waiting
    would count as a leap: what a request does not feel is no news.
    """
    units = [unit_of(series.metric) for series in window.series]
    owners = names.owners.tolist()
    latencies = [k for k, kind in enumerate(names.kinds) if kind is Kind.LATENCY]
    levels = np.abs(median(window.values[:onset, latencies])).tolist()
    usual: dict[tuple[int, str], list[float]] = defaultdict(list)
    for k, level in zip(latencies, levels, strict=True):
        if level >= 0:
            usual[owners[k], units[k]].append(level)
    found = np.zeros(len(window.series))
    for k, (kind, unit) in enumerate(zip(names.kinds, units, strict=True)):
        if kind in _WAITED and unit in _TIMES and (alike := usual.get((owners[k], unit))):
            found[k] = LEVEL_FLOOR * median_of(alike)
    return found


def symptom_of(seen: Observation, named: int | None) -> int | None:
    """The symptom's column; where none is named, the most surprising that users can feel."""
    if named is not None:
        return named
    moved = np.flatnonzero(seen.felt & (seen.onsets != NEVER)).tolist()
    if not moved:
        return None
    return max(moved, key=lambda c: (seen.surprise[c], seen.window.series[c]))
