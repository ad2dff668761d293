"""What a call graph says about departures: slowness runs from callees to their callers."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.suspicion import DEPARTED, by_service

EXPLAINED = 0.8
"""What is left of a caller's felt departures where a callee's are about as large."""
ALIKE = 0.8
"""A callee's departure is about as large from this share of the caller's on."""
SEVERAL = 2
"""Bad ways out of one caller that are no coincidence."""
BEYOND = 0.7
"""What is left of the suspicion of a service that the symptom does not depend on."""

Calls = Int[np.ndarray, "calls 2"]
"""Rows (caller, callee), positions of services; none calls itself."""


def explained_callers(
    surprise: Float[np.ndarray, " series"],
    felt: Bool[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    viewers: Int[np.ndarray, " series"],
    calls: Calls,
) -> Bool[np.ndarray, " callers"]:
    """For each call, whether the callee departed clearly and about as far as the caller.

    Of the caller only what it feels counts, latency and errors; of the callee anything, since
    what lacks memory or time makes its callers wait. `viewers` names the service from which
    a series was measured, -1 for its own: a caller's view of its callee does not tell which of
    the two is slow, and explains nothing of that caller.
    """
    services = 1 + int(max(owners.max(initial=-1), calls.max(initial=-1)))
    felt_by_owner = by_service(np.where(felt, surprise, 0.0), owners, services)
    found = np.zeros(len(calls), dtype=bool)
    for k, (caller, callee) in enumerate(calls):
        seen = (owners == callee) & (viewers != caller)
        own = felt_by_owner[caller]
        least = max(float(np.log1p(DEPARTED)), ALIKE * float(own))
        found[k] = own > 0 and surprise[seen].max(initial=0.0) >= least
    return found


def charged_to(
    surprise: Float[np.ndarray, " series"],
    felt: Bool[np.ndarray, " series"],
    owners: Int[np.ndarray, " series"],
    viewers: Int[np.ndarray, " series"],
) -> Int[np.ndarray, " series"]:
    """The service that each series speaks against: its owner, or the caller that measured it.

    A way from caller to callee is bad by itself if the caller's view departed and neither what
    the callee measures of itself nor its own views of others depart about as far: the time is
    lost between the two. Where several ways out of a caller are bad, and a larger share of the
    ways that it has a part in than of the callee's (the larger number, if equal), they speak
    against the caller, whose host may have a slow network; one bad way speaks against the callee.
    """
    views = np.flatnonzero(felt & (viewers >= 0))
    ways: dict[tuple[int, int], list[int]] = defaultdict(list)
    for column in views.tolist():
        ways[(int(viewers[column]), int(owners[column]))].append(column)
    size = {way: float(surprise[columns].max()) for way, columns in ways.items()}
    services = 1 + int(max(owners.max(initial=-1), viewers.max(initial=-1)))
    itself = by_service(np.where(felt & (viewers < 0), surprise, 0.0), owners, services)
    beyond = by_service(surprise[views], viewers[views], services)
    passed = np.maximum(itself, beyond)
    bad = {
        way
        for way, value in size.items()
        if value >= np.log1p(DEPARTED) and passed[way[1]] < ALIKE * value
    }
    all_of = Counter(end for way in ways for end in way)
    bad_of = Counter(end for way in bad for end in way)
    out_of = Counter(caller for caller, _ in bad)
    charged = owners.copy()
    for caller, callee in bad:
        of_caller, of_callee = (
            (bad_of[end] / all_of[end], bad_of[end]) for end in (caller, callee)
        )
        if out_of[caller] >= SEVERAL and of_caller > of_callee:
            charged[ways[(caller, callee)]] = caller
    return charged


def entry(scores: Float[np.ndarray, " services"], calls: Calls) -> int | None:
    """The most suspect service that calls others and that nobody calls; None without one."""
    candidates = np.setdiff1d(calls[:, 0], calls[:, 1])
    if not len(candidates):
        return None
    return int(candidates[np.argmax(scores[candidates])])


def beyond_reach(start: int, calls: Calls, services: int) -> Bool[np.ndarray, " services"]:
    """Services of the call graph that `start` does not depend on, by any path of calls.

    A service that the call graph does not know is not beyond reach: nothing is known of it.
    """
    known = np.zeros(services, dtype=bool)
    known[calls.ravel()] = True
    reached = np.zeros(services, dtype=bool)
    reached[start] = True
    for _ in range(services):
        callees = calls[reached[calls[:, 0]], 1]
        if reached[callees].all():
            break
        reached[callees] = True
    return known & ~reached
