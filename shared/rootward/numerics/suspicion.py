"""From departures of series to suspicion of services. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.anomaly import Departures

DEPARTED = 3.0
"""Deviations that count as having left the baseline."""
NEVER = -1
MISSING = 10.0
"""Deviations that the end of a series is worth."""
HARMLESS = 0.5
"""Weight of a change to the good: less load on a resource is what victims show."""
LOAD = 0.5
"""Weight of a change in traffic: load comes from outside more often than from within."""
REPORTED = 0.5
"""Weight of an alarm: it repeats what was noticed elsewhere, and is never first."""
ELSEWHERE = 0.8
"""Weight of what is measured here and tells of another service."""
LATE = 0.3
"""Share of its surprise that a series loses if it departs long after the first."""
SUPPORT = 0.25
"""Weight of what the other series of a service add to its clearest."""
SECOND_KIND = 0.25
"""Weight of the second kind of metric that speaks for a service."""


def surprise(
    found: Departures, harm: Int[np.ndarray, " series"], weight: Float[np.ndarray, " series"]
) -> Float[np.ndarray, " series"]:
    """Log deviations of each series, less where the change is harmless or the baseline short."""
    size = np.maximum(found.size, MISSING * found.gone)
    against = (harm != 0) & (found.direction == -harm) & (found.gone < 0.5)
    return np.log1p(size) * np.where(against, HARMLESS, 1.0) * weight * found.trust


def worth(
    load: Bool[np.ndarray, " series"],
    reports: Bool[np.ndarray, " series"],
    elsewhere: Bool[np.ndarray, " series"],
) -> Float[np.ndarray, " series"]:
    """What a departure counts for by what the series is, before anything is measured."""
    return (
        np.where(load, LOAD, 1.0)
        * np.where(reports, REPORTED, 1.0)
        * np.where(elsewhere, ELSEWHERE, 1.0)
    )


def first_rows(z: Float[np.ndarray, "rows series"], onset: int) -> Int[np.ndarray, " series"]:
    """The first row from `onset` on in which each series is away; `NEVER` if it stays.

    Away means `DEPARTED` deviations in two measured rows running, or in the last one measured.
    """
    far = np.abs(np.nan_to_num(z[onset:])) >= DEPARTED
    away, next_far = np.zeros_like(far), np.ones(far.shape[1], dtype=bool)
    for row in reversed(range(len(far))):
        away[row] = far[row] & next_far
        next_far = np.where(np.isfinite(z[onset + row]), far[row], next_far)
    return np.where(away.any(axis=0), onset + away.argmax(axis=0), NEVER)


def promptness(
    first: Int[np.ndarray, " series"], onset: int, rows: int
) -> Float[np.ndarray, " series"]:
    """1 for the series that departs first, falling to 1 - `LATE` for those long after it.

    Time is counted in tenths of the rows after the onset, at least two. A series that did not
    depart for two rows running has no order to speak of, and stands in the middle.
    """
    moved = first != NEVER
    earliest = int(first[moved].min()) if moved.any() else onset
    unit = max(2.0, (rows - onset) / 10)
    order = np.where(moved, np.exp(-np.maximum(first - earliest, 0) / unit), 0.5)
    return 1.0 - LATE + LATE * order


def by_service(
    values: Float[np.ndarray, " series"], owners: Int[np.ndarray, " series"], services: int
) -> Float[np.ndarray, " services"]:
    """The largest value of each service; 0 for one without series."""
    best = np.zeros(services)
    np.maximum.at(best, owners, values)
    return best


def breadth(
    values: Float[np.ndarray, " series"], owners: Int[np.ndarray, " series"], services: int
) -> Float[np.ndarray, " services"]:
    """The mean over the series of each service: alert counting, made soft and fair to all sizes."""
    count = np.bincount(owners, minlength=services)
    return np.bincount(owners, weights=values, minlength=services) / np.maximum(count, 1)


def support(
    values: Float[np.ndarray, " series"], owners: Int[np.ndarray, " series"], services: int
) -> Float[np.ndarray, " services"]:
    """The mean over the series of each service, its clearest one counted as 0.

    A plain mean would count the only series of a small service twice, and hold it against a
    service that it measures more.
    """
    count = np.maximum(np.bincount(owners, minlength=services), 1)
    return breadth(values, owners, services) - by_service(values, owners, services) / count


def second_kind(
    values: Float[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    kinds: Int[np.ndarray, " series"],
    services: int,
) -> Float[np.ndarray, " services"]:
    """The best of each service's second-best kind of metric, as PRISM asks for two sides."""
    best = np.zeros((services, int(kinds.max(initial=0)) + 1))
    np.maximum.at(best, (owners, kinds), values)
    return np.sort(best, axis=1)[:, -2] if best.shape[1] > 1 else np.zeros(services)


def suspicion(
    values: Float[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    kinds: Int[np.ndarray, " series"],
    services: int,
) -> Float[np.ndarray, " services"]:
    """How much speaks against each service: its clearest series, and a little for the others.

    The maximum carries the weight; a mean of the others, not a sum, keeps services with many
    series from winning by their number.
    """
    return (
        by_service(values, owners, services)
        + SUPPORT * support(values, owners, services)
        + SECOND_KIND * second_kind(values, owners, kinds, services)
    )
