"""The causal graph of a service, kept from one quiet stretch to the next. Pure.

A column is relearnt alone, once what foretells it has changed (sub-graph change detection with
restart of only the changed column: Peng, Zhang, Mitra 2025); all others stay as they were.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rootward.methods.base import DiscoveryMethod
from rootward.model.change_event import ChangeEvent, ChangeKind
from rootward.model.graph import CausalGraph, Edge
from rootward.model.graph_version import DriftNotice, GraphVersion, Reason
from rootward.model.kind import Kind, kind_of
from rootward.model.series import INSTANCE, Series
from rootward.model.window import Window
from rootward.model.wording import clock, duration, listed
from rootward.numerics.laws import Group, learnt_laws, links
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.watch import Watch

LEAST_ROWS = 120
"""Quiet rows that a column is learnt from, and that two stretches are compared by."""
OWN, OTHERS = 16, 24
"""Series of a service that are columns of its graph, and others that may drive them."""
FALSE_ALARMS = 0.01
"""Chance that any column of a service counts as changed in a comparison though none was."""
STRONG = 0.15
"""Share of what is left of a series' variance from which on an edge is worth telling."""
MOST_MISSING = 0.2
_LATE_ROWS = 10
"""Rows by which a change may seem to begin before what was done."""
_KINDS = tuple(Kind)
_DONE = {
    ChangeKind.DEPLOY: "deploy",
    ChangeKind.CONFIG: "configuration",
    ChangeKind.SCALING: "scaling",
    ChangeKind.OTHER: "change",
}


@dataclass(frozen=True)
class Broken:
    """Columns that are no longer foretold as before, and since when."""

    columns: tuple[Series, ...]
    since: int
    """Row of the later stretch from which on all of them are what they have become."""
    first: int
    """Row at which the first of them changed."""


def pooled(frame: Window) -> Window:
    """One column for each metric of a service: the mean over its instances, which come and go."""
    members: dict[Series, list[int]] = defaultdict(list)
    for column, one in enumerate(frame.series):
        rest = {name: value for name, value in one.labels if name != INSTANCE}
        members[Series(one.metric, tuple(rest.items()))].append(column)
    series = tuple(sorted(members))
    values = np.full((len(frame.times), len(series)), np.nan)
    for k, one in enumerate(series):
        table = frame.values[:, members[one]]
        known = np.isfinite(table)
        count = known.sum(axis=1)
        sums = np.where(known, table, 0.0).sum(axis=1)
        values[:, k] = np.where(count > 0, sums / np.maximum(count, 1), np.nan)
    return Window(series, frame.times, values, frame.step_seconds)


def screened(window: Window, service: str) -> Window:
    """The columns of a service, what callers feel first, and others that move as they do."""
    usable = _usable(window)
    own = [c for c in usable if window.series[c].service == service]
    own.sort(key=lambda c: (_KINDS.index(kind_of(window.series[c].metric)), window.series[c]))
    own = own[:OWN]
    others = [c for c in usable if window.series[c].service != service]
    if own and others:
        strength = links(window.values[:, [*own, *others]])[:, : len(own)].max(axis=1)
        order = np.argsort(-strength[len(own) :], kind="stable")[:OTHERS]
        others = [others[k] for k in order.tolist()]
    return window.select(sorted((*own, *others), key=window.series.__getitem__))


def _usable(window: Window) -> list[int]:
    """Columns that are measured most of the time, and vary."""
    known = np.isfinite(window.values)
    low = np.where(known, window.values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, window.values, -np.inf).max(axis=0, initial=-np.inf)
    enough = known.mean(axis=0) >= 1 - MOST_MISSING
    return [int(c) for c in np.flatnonzero(enough & (high > low))]


def learnt(
    window: Window, service: str, discovery: DiscoveryMethod, seed: int = 0
) -> tuple[Edge, ...]:
    """What drives the series of a service, the strongest first.

    Raises:
        InsufficientData: too few rows or series.
    """
    found = discovery.discover(window, seed).edges
    into = (edge for edge in found if edge.effect.service == service)
    return tuple(sorted(into, key=lambda e: (-e.weight, e.effect, e.cause)))


def broken(
    reference: Window, recent: Window, service: str, false_alarms: float = FALSE_ALARMS
) -> Broken | None:
    """Which columns of a service the laws of one stretch no longer foretell in a later one.

    Both windows hold the same series. A level that a cause passes on breaks nothing. None where
    all are as they were.

    Raises:
        InsufficientData: the reference has too few rows.
    """
    own = [c for c, one in enumerate(recent.series) if one.service == service]
    others = tuple(c for c in range(len(recent.series)) if c not in own)
    since_gap = rows_since_gap(reference.times, reference.step_seconds)
    laws = learnt_laws(reference.values, since_gap, [Group(tuple(own), others)])
    watched = int(laws.watched.sum())
    if not watched:
        return None
    watch = Watch(laws, false_alarms / (watched * len(recent.values)))
    began: dict[int, int] = {}
    for row, values in enumerate(recent.values):
        seen = watch.step(values)
        for column in np.flatnonzero(seen.changed).tolist():
            began.setdefault(column, max(row - int(seen.began[column]) + 1, 0))
    if not began:
        return None
    columns = tuple(recent.series[c] for c in sorted(began))
    return Broken(columns, max(began.values()), min(began.values()))


def first_version(
    window: Window, edges: Iterable[Edge], *, tenant: str, service: str, now: float
) -> GraphVersion:
    """The first version of a graph, or the one of wholly other series."""
    graph = CausalGraph(window.series, tuple(edges))
    columns = tuple(one for one in window.series if one.service == service)
    start, end = float(window.times[0]), float(window.times[-1])
    return GraphVersion(
        tenant, service, 1, now, start, end, window.step_seconds, graph, columns,
        Reason.FIRST, quiet_from_unix=start, held_until_unix=end,
    )  # fmt: skip


def relearnt(
    version: GraphVersion,
    window: Window,
    edges: Iterable[Edge],
    columns: Iterable[Series],
    now: float,
) -> GraphVersion:
    """The next version, with the edges into some columns as they are in a window."""
    changed = tuple(columns)
    kept = tuple(e for e in version.graph.edges if e.effect not in changed)
    fresh = tuple(e for e in edges if e.effect in changed)
    gained, lost = differences(version.graph, fresh, changed, window)
    return replace(
        version,
        number=version.number + 1,
        created_unix=now,
        start_unix=float(window.times[0]),
        end_unix=float(window.times[-1]),
        graph=CausalGraph(version.graph.series, (*kept, *fresh)),
        relearnt=changed,
        reason=Reason.STRUCTURE if gained or lost else Reason.MECHANISM,
        quiet_from_unix=float(window.times[0]),
        held_until_unix=float(window.times[-1]),
        gained=gained,
        lost=lost,
        notices=(),
    )


def differences(
    graph: CausalGraph, edges: Iterable[Edge], columns: Iterable[Series], window: Window
) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    """Strong edges into some columns that came, and those that went though both ends vary."""
    wanted, now = set(columns), list(edges)
    before = [e for e in graph.edges if e.effect in wanted]
    had, has = ({(e.cause, e.effect) for e in side} for side in (before, now))
    gained = [e for e in now if e.weight >= STRONG and (e.cause, e.effect) not in had]
    varying = {window.series[c] for c in _usable(window)}
    lost = [e for e in before if e.weight >= STRONG and (e.cause, e.effect) not in has]
    return tuple(gained), tuple(e for e in lost if {e.cause, e.effect} <= varying)


def drift_notice(
    version: GraphVersion, events: Iterable[ChangeEvent], began_unix: float
) -> DriftNotice | None:
    """What is to be told of a version whose columns changed after the last of these events."""
    by = began_unix + _LATE_ROWS * version.step_seconds
    done = [e for e in events if e.concerns(version.group) and e.at_unix <= by]
    if not done:
        return None
    event = max(done, key=lambda one: one.at_unix)
    return DriftNotice(
        version.group, event.at_unix, event.source, event.id, event.title,
        f"After {_DONE[event.kind]} {event.title} of {version.group} at {clock(event.at_unix)}, "
        f"{told(version)}.",
    )  # fmt: skip


def told(version: GraphVersion) -> str:
    """How the relearnt columns differ from the version before, in words."""
    parts = [_sentence(column, version) for column in version.relearnt]
    return "; ".join(parts)


def _sentence(column: Series, version: GraphVersion) -> str:
    went = [_name(e.cause, version) for e in version.lost if e.effect == column]
    came = [
        f"{_name(e.cause, version)} with lag {duration(e.lag * version.step_seconds)}"
        for e in version.gained
        if e.effect == column
    ]
    name, words = _name(column, version), []
    if went:
        words.append(f"no longer follows {listed(went)}")
    if came:
        words.append(f"now follows {listed(came)}")
    if not words:
        return f"{name} no longer moves with its causes and its own past as it did"
    return f"{name} {' and '.join(words)}"


def _name(series: Series, version: GraphVersion) -> str:
    """A series of the service goes without its name, which the sentence says already."""
    return str(series).removeprefix(f"{version.group}|")


def aligned(window: Window, series: Iterable[Series]) -> Window | None:
    """The window with these columns, NaN where one is measured no more; None if most are not."""
    wanted = tuple(series)
    place: Mapping[Series, int] = {one: c for c, one in enumerate(window.series)}
    there = [k for k, one in enumerate(wanted) if one in place]
    if 2 * len(there) < len(wanted):
        return None
    values = np.full((len(window.times), len(wanted)), np.nan)
    values[:, there] = window.values[:, [place[wanted[k]] for k in there]]
    return Window(wanted, window.times, values, window.step_seconds)
