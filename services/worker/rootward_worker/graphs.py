"""keep_graphs(): looks at the causal graph of each service in quiet times, and keeps it true."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf
from time import perf_counter

import numpy as np

from rootward.errors import InsufficientData
from rootward.methods.base import DiscoveryMethod
from rootward.model.change_event import BEFORE_SECONDS
from rootward.model.graph_version import GraphVersion, Reason
from rootward.model.incident import Incident, Status
from rootward.model.window import Window
from rootward.ports import Platform, WindowQuery
from rootward.rca import keeping
from rootward.rca.frame import LONGEST_GAP_STEPS, framed
from rootward_worker.calls import calls_within
from rootward_worker.detect import MARGIN_ROWS
from rootward_worker.learner import discovery_method
from rootward_worker.options import WorkerOptions
from rootward_worker.windows import complete_row_unix

log = logging.getLogger(__name__)

DISCOVERY = "ridge_granger"
"""In closed form: what is learnt often must be cheap."""
KEPT_VERSIONS = 20
"""Of each service, beside those that incidents name."""
RENEWED_SECONDS = 7 * 86_400.0
"""A graph that has held for so long is learnt anew, to see whether strong edges came or went."""
MOST_SERIES = 400
"""Where nobody is known to call a service, all others are its neighbours if they have no more."""
LONGEST_SECONDS = 900.0
"""A look at all services ends after so long; the next one begins with those left out."""


def keep_graphs(platform: Platform, options: WorkerOptions) -> None:
    """Learn the graphs that are missing, and relearn the columns whose mechanism changed.

    Services with an open incident, or with too few quiet rows, are left as they are. Safe to
    repeat, and in several processes at once: the first one to write a version is believed.
    """
    if not options.graphs_seconds:
        return
    began, left = perf_counter(), 0
    for tenant in platform.samples.tenants():
        try:
            end = complete_row_unix(platform, options, tenant)
        except InsufficientData:
            continue
        keeper = _Keeper.of(platform, options, tenant, end)
        for service in keeper.services():
            if perf_counter() - began > LONGEST_SECONDS:
                left += 1
            else:
                keeper.keep(service)
    if left:
        log.warning("graphs not looked at", extra={"services": left})


def named(platform: Platform, incident: Incident) -> None:
    """See to it that the version in force at the onset of an incident is kept for as long."""
    service, onset = incident.symptom.service, incident.onset_unix
    version = platform.graphs.in_force(service, onset, incident.tenant)
    if version is not None:
        platform.graphs.use(version)


@dataclass(frozen=True)
class _Keeper:
    """What is known of one tenant while its graphs are looked at."""

    platform: Platform
    options: WorkerOptions
    tenant: str
    end_unix: float
    """The last complete row."""
    neighbours: Mapping[str, frozenset[str]]
    """Of each service: those whose series may drive its own, itself among them."""
    incidents: tuple[Incident, ...]
    """Open ones, and the last ones that ended."""
    discovery: DiscoveryMethod

    @classmethod
    def of(
        cls, platform: Platform, options: WorkerOptions, tenant: str, end_unix: float
    ) -> _Keeper:
        ended = platform.incidents.page(tenant, status=Status.RESOLVED).items
        return cls(
            platform,
            options,
            tenant,
            end_unix,
            _neighbours(platform, tenant),
            (*platform.incidents.current(tenant), *ended),
            discovery_method(DISCOVERY),
        )

    def services(self) -> list[str]:
        """All of them, those first that were not looked at for longest."""
        held: dict[str, float] = {}
        cursor = None
        while True:
            page = self.platform.graphs.page(self.tenant, limit=500, cursor=cursor)
            held |= {one.group: one.held_until_unix for one in page.items}
            cursor = page.next_cursor
            if cursor is None:
                return sorted(self.neighbours, key=lambda name: (held.get(name, 0.0), name))

    def keep(self, service: str) -> None:
        """Look at the graph of one service."""
        quiet = self._quiet_from(service)
        if quiet == inf:
            return
        version = self.platform.graphs.current(service, self.tenant)
        try:
            if version is None:
                self._first(service, quiet, 1, Reason.FIRST)
            else:
                self._look(version, quiet)
        except InsufficientData as error:
            log.debug("graph not learnt", extra={"service": service, "reason": str(error)})

    def _quiet_from(self, service: str) -> float:
        """From when on no incident concerns a service or its neighbours; infinite while one is."""
        margin, found = MARGIN_ROWS * self.options.step_seconds, 0.0
        for one in self.incidents:
            if self.neighbours[service].isdisjoint((*one.services, one.symptom.service)):
                continue
            if one.status is Status.OPEN:
                return inf
            found = max(found, one.last_change_unix + margin)
        return found

    def _first(self, service: str, quiet_unix: float, number: int, reason: Reason) -> None:
        window = keeping.screened(self._window(service, quiet_unix, self.end_unix), service)
        edges = keeping.learnt(window, service, self.discovery, self.options.seed)
        now = self.platform.clock.now()
        made = keeping.first_version(window, edges, tenant=self.tenant, service=service, now=now)
        if made.columns:
            self._put(replace(made, number=number, reason=reason))

    def _look(self, version: GraphVersion, quiet_unix: float) -> None:
        """Compare the rows since a version was last seen to hold with those before."""
        held = version.held_until_unix
        whole = self._window(version.group, max(held, quiet_unix), self.end_unix)
        recent = keeping.aligned(whole, version.graph.series)
        if recent is None:
            self._first(version.group, float(whole.times[0]), version.number + 1, Reason.SERIES)
            return
        reference = self._reference(version)
        if reference is None:
            self._renew(version, recent, disturbed=True)
            return
        found = keeping.broken(reference, recent, version.group)
        if found is not None:
            self._relearn(version, recent, found, is_breach=quiet_unix > held)
        elif self.platform.clock.now() - version.created_unix > RENEWED_SECONDS:
            self._renew(version, recent, disturbed=quiet_unix > held)
        else:
            self._confirm(version, recent, disturbed=quiet_unix > held)

    def _reference(self, version: GraphVersion) -> Window | None:
        """The rows that a version was last seen to hold in, None where they are gone."""
        end = version.held_until_unix
        try:
            start = version.quiet_from_unix - self.options.step_seconds  # that row included
            found = self._window(version.group, start, end)
        except InsufficientData:
            return None
        return keeping.aligned(found, version.graph.series)

    def _relearn(
        self, version: GraphVersion, recent: Window, found: keeping.Broken, *, is_breach: bool
    ) -> None:
        """Learn the columns that changed from the rows since; wait where these are too few."""
        after = recent.rows(found.since, len(recent.times))
        if len(after.times) < keeping.LEAST_ROWS:
            return
        edges = keeping.learnt(after, version.group, self.discovery, self.options.seed)
        made = keeping.relearnt(version, after, edges, found.columns, self.platform.clock.now())
        if not is_breach:
            began = float(recent.times[found.first])
            events = self.platform.change_events.between(
                version.held_until_unix - BEFORE_SECONDS, self.end_unix, self.tenant
            )
            notice = keeping.drift_notice(made, events, began)
            made = replace(made, notices=(notice,) if notice else ())
        self._put(made)

    def _renew(self, version: GraphVersion, recent: Window, *, disturbed: bool) -> None:
        """Learn all columns anew, and keep what is new of those whose strong edges differ."""
        edges = keeping.learnt(recent, version.group, self.discovery, self.options.seed)
        gained, lost = keeping.differences(version.graph, edges, version.columns, recent)
        columns = {edge.effect for edge in (*gained, *lost)}
        if not columns:
            self._confirm(version, recent, disturbed=disturbed)
            return
        now = self.platform.clock.now()
        made = keeping.relearnt(version, recent, edges, sorted(columns), now)
        self._put(replace(made, reason=Reason.SCHEDULED))

    def _confirm(self, version: GraphVersion, recent: Window, *, disturbed: bool) -> None:
        start = float(recent.times[0]) if disturbed else version.quiet_from_unix
        self.platform.graphs.confirm(version, start, float(recent.times[-1]))

    def _put(self, version: GraphVersion) -> None:
        if self.platform.graphs.put(version):
            said = {"service": version.group, "version": version.number, "reason": version.reason}
            log.info("graph kept", extra=said)

    def _window(self, service: str, after_unix: float, end_unix: float) -> Window:
        """The last rows between two times, counters as rates, instances pooled.

        Raises:
            InsufficientData: fewer rows than a graph is learnt from.
        """
        step = self.options.step_seconds
        rows = min(round((end_unix - after_unix) / step), self.options.window_rows)
        if rows < keeping.LEAST_ROWS:
            raise InsufficientData(f"{rows} quiet rows, {keeping.LEAST_ROWS} are needed")
        before = int(LONGEST_GAP_STEPS)  # a rate looks back
        query = WindowQuery(end_unix, rows + before, step, self.tenant, self.neighbours[service])
        frame = keeping.pooled(framed(self.platform.samples.window(query)))
        measured = np.isfinite(frame.values).any(axis=1)
        if np.count_nonzero(measured[before:]) < keeping.LEAST_ROWS:
            raise InsufficientData("too few of the quiet rows were measured")
        return frame.rows(before, len(frame.times))


def _neighbours(platform: Platform, tenant: str) -> dict[str, frozenset[str]]:
    """Each service with those that call it or that it calls."""
    series = tuple(info.series for info in platform.samples.series(tenant))
    services = frozenset(one.service for one in series)
    near: dict[str, set[str]] = defaultdict(set)
    for caller, callee in calls_within(platform, series, tenant):
        near[caller].add(callee)
        near[callee].add(caller)
    alone: Iterable[str] = services if len(series) <= MOST_SERIES else ()
    return {one: frozenset((one, *(near.get(one) or alone))) & services for one in services}
