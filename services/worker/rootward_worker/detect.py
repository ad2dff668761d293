"""on_batch(): store samples, look at each complete row, open, join and resolve incidents."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from rootward import telemetry
from rootward.errors import InsufficientData
from rootward.model.change_event import ChangeEvent
from rootward.model.incident import Incident, Status
from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.ports import Everything, Platform, Share, WindowQuery
from rootward_worker import story
from rootward_worker.align import Rows
from rootward_worker.belonging import NO_CALLS, Calls, belongs, parted
from rootward_worker.calls import calls_within
from rootward_worker.finding import Finding, Normal
from rootward_worker.frames import Frames
from rootward_worker.leaks import leaks
from rootward_worker.maintenance import LONGEST_SECONDS, demoted
from rootward_worker.options import WorkerOptions
from rootward_worker.silence import vanished
from rootward_worker.symptoms import (
    convincing,
    findings,
    learn,
    standing,
    still_away,
)

log = logging.getLogger(__name__)

FRESH_SHARE = 1 / 12
"""What is normal is learnt again once this share of its rows is new."""
LEAK_ROWS = 10
"""Slow leaks are looked for after so many rows."""
FRESH_SECONDS = 5.0
"""Incidents are read from the store again once so much time has passed."""
MARGIN_ROWS = 2
"""Rows before an onset that may belong to the incident already."""
REMEMBERED = 50
"""Incidents whose rows are kept out of the baseline."""


@dataclass
class _Tenant:
    """What is going on in one tenant; all of it can be made anew from the stores."""

    rows: Rows
    frames: Frames
    open: dict[str, Incident] = field(default_factory=dict)
    """What goes on, by id, the oldest first."""
    past: list[Incident] = field(default_factory=list)
    """Resolved incidents, the newest last."""
    normal: Normal | None = None
    learnt_at: int = 0
    leaks: tuple[tuple[float, Finding], ...] = ()
    """Slow leaks with their onsets, Unix seconds."""
    leaks_at: int = 0
    diagnosed_until: dict[str, float] = field(default_factory=dict)
    """End of the rows that the last submitted diagnosis of an incident looks at, Unix seconds."""
    read_at: float = -inf
    """When the open incidents were read from the store."""
    announced: Mapping[str, tuple[ChangeEvent, ...]] = field(default_factory=dict)
    """Changes before the opening of each of them, as they were then."""
    calls: Calls = NO_CALLS
    calls_of: tuple[Series, ...] = ()
    """The series that the calls were read from."""


class Detector:
    """Watches the rows of all tenants; one instance a process, called from one thread."""

    def __init__(self, platform: Platform, options: WorkerOptions) -> None:
        self._platform = platform
        self._options = options
        self._tenants: dict[str, _Tenant] = {}
        self._share: Share = Everything()

    def on_batch(self, batch: SampleBatch) -> None:
        """Store a batch, then look at every row that is complete now; safe to repeat.

        Where a store or queue fails, the tenant is made anew from the stores on the next try.
        """
        if not self._platform.stored_elsewhere:
            self._platform.samples.append(batch)
        try:
            self._take(batch)
        except Exception:
            self._tenants.pop(batch.tenant, None)
            raise

    def _take(self, batch: SampleBatch) -> None:
        share = self._platform.bus.share()
        if share != self._share:  # services have come or gone: all is made anew from the stores
            self._share = share
            self._tenants.clear()
        tenant = self._tenants.get(batch.tenant)
        if tenant is None:
            tenant = self._tenants[batch.tenant] = self._rebuilt(batch.tenant)
        now = self._platform.clock.now()
        telemetry.LATE_SAMPLES.labels(batch.tenant).inc(tenant.rows.take(batch, now))
        fresh = tenant.rows.newly_complete(now)
        if not fresh:
            return
        for row in fresh:
            with telemetry.DETECT_SECONDS.time():
                frame = tenant.frames.upto(row)
                if frame.series:
                    self._look(batch.tenant, tenant, frame)

    def _rebuilt(self, name: str) -> _Tenant:
        """A tenant as the stores know it: its last rows, its open and its recent incidents."""
        options, samples = self._options, self._platform.samples
        rows = Rows(options.step_seconds, options.window_rows, options.most_series)
        latest = samples.latest_unix(name)
        if latest is not None:
            end = rows.time_of(rows.row_of(min(latest, self._platform.clock.now())))
            query = WindowQuery(
                end, options.window_rows, options.step_seconds, name, self._services(name)
            )
            try:
                rows.fill(_measured(samples.window(query)))
            except InsufficientData:
                log.info("no rows to start from", extra={"tenant": name})
        tenant = _Tenant(rows, Frames(rows, options.step_seconds, options.window_rows))
        incidents = self._platform.incidents
        page = incidents.page(name, status=Status.RESOLVED, limit=REMEMBERED).items
        tenant.past = sorted(page, key=lambda i: i.onset_unix)
        for one in incidents.current(name):
            if story.is_alerted(one):
                continue
            tenant.open[one.id] = one
            if incidents.diagnosis(one.id, name) is None and rows.complete is not None:
                self._diagnose(tenant, one, rows.time_of(rows.complete))
        return tenant

    def _services(self, name: str) -> frozenset[str] | None:
        """The services of a tenant that this process watches, None for all."""
        if isinstance(self._share, Everything):
            return None
        known = {info.series.service for info in self._platform.samples.series(name)}
        return frozenset(one for one in known if self._share.has(name, one))

    def _look(self, name: str, tenant: _Tenant, frame: Window) -> None:
        self._read_again(name, tenant)
        usable = self._usable(tenant, frame)
        normal = self._normal(tenant, frame, usable)
        now = standing(frame, usable, normal)
        found = findings(frame, normal, now) + vanished(frame, usable, normal.traits.names)
        named = {f.series for f in found}
        found += tuple(f for f in self._leaks(tenant, frame) if f.series not in named)
        going_on = list(tenant.open.values())
        away = [still_away(frame, normal, now, one) for one in going_on]
        harmful = frozenset(f.series for f in found if f.harmful)
        calls = self._calls(name, tenant, frame.series)
        parts, rest = parted(going_on, found, [harmful | still for still in away], frame, calls)
        for one, part, still in zip(going_on, parts, away, strict=True):
            own = frozenset(f.series for f in part if f.harmful)
            self._follow(tenant, one, frame, part, own | still)
        left = [f for f in rest if f.harmful]
        if convincing(left, rest, len(frame.times)):
            self._open(name, tenant, frame, rest, left)

    def _calls(self, name: str, tenant: _Tenant, series: tuple[Series, ...]) -> Calls:
        """Who calls whom, read anew when other series are measured."""
        raw = tenant.frames.raw
        if tenant.calls_of != raw:
            known = calls_within(self._platform, raw, name)
            tenant.calls, tenant.calls_of = Calls.of(series, known), raw
        return tenant.calls

    def _read_again(self, name: str, tenant: _Tenant) -> None:
        """The open incidents as they are stored, where they were not read a moment ago."""
        now = self._platform.clock.now()
        if not tenant.open or abs(now - tenant.read_at) < FRESH_SECONDS:
            return
        for one in list(tenant.open.values()):
            self._go_on(tenant, one, self._platform.incidents.get(one.id, name))
        tenant.announced = {id: self._announced(one) for id, one in tenant.open.items()}
        tenant.read_at = now

    def _go_on(self, tenant: _Tenant, mine: Incident, stored: Incident) -> None:
        """Follow an incident as it is stored: people and other detectors change it, too.

        One that somebody resolved by hand is followed to its end, so that what is left of it
        opens no other; for one that was merged the other answers.
        """
        if stored.id != mine.id:
            tenant.open.pop(mine.id, None)
        if stored.status is Status.OPEN:
            tenant.open[stored.id] = stored
        elif stored.handling.resolved_by:
            tenant.open[stored.id] = replace(
                stored, status=Status.OPEN, resolved_unix=None, handling=mine.handling
            )
        else:
            self._past(tenant, stored)

    def _past(self, tenant: _Tenant, ended: Incident) -> None:
        tenant.open.pop(ended.id, None)
        tenant.diagnosed_until.pop(ended.id, None)
        tenant.past = [*tenant.past[-REMEMBERED:], ended]

    def _usable(self, tenant: _Tenant, frame: Window) -> np.ndarray:
        """Rows of the frame that tell what is normal: those outside of incidents."""
        usable = np.ones(len(frame.times), dtype=bool)
        margin = MARGIN_ROWS * frame.step_seconds
        for one in (*tenant.past, *tenant.open.values()):
            end = one.last_change_unix + margin if one.resolved_unix is not None else np.inf
            if end >= frame.times[0] and not story.is_new_normal(one):
                usable &= (frame.times < one.onset_unix - margin) | (frame.times > end)
        return usable

    def _normal(self, tenant: _Tenant, frame: Window, usable: np.ndarray) -> Normal:
        row = tenant.rows.row_of(float(frame.times[-1]))
        known = tenant.normal
        due = row - tenant.learnt_at >= max(2, FRESH_SHARE * np.count_nonzero(usable))
        if known is None or known.series != frame.series or (due and not tenant.open):
            known = tenant.normal = learn(frame, usable, self._options.rule)
            tenant.learnt_at = row
        return known

    def _leaks(self, tenant: _Tenant, frame: Window) -> tuple[Finding, ...]:
        """Slow leaks as they were found a few rows ago at most."""
        row = tenant.rows.row_of(float(frame.times[-1]))
        if row - tenant.leaks_at >= LEAK_ROWS:
            found = leaks(frame)
            tenant.leaks = tuple((float(frame.times[f.onset]), f) for f in found)
            tenant.leaks_at = row
        return tuple(replace(f, onset=frame.row_at(unix)) for unix, f in tenant.leaks)

    def _open(
        self,
        name: str,
        tenant: _Tenant,
        frame: Window,
        found: tuple[Finding, ...],
        harmful: list[Finding],
    ) -> None:
        """A symptom departed: reopen the incident it had just now, join one, or open a new one."""
        services = frozenset(f.series.service for f in harmful)
        recent = float(frame.times[-1]) - self._options.hold_seconds
        again = self._returned(tenant, frame, harmful[0].series)
        made = self._demoted(story.opened(name, found, harmful, frame))

        def choose(current: tuple[Incident, ...]) -> Incident:
            fitting = [
                one
                for one in current
                if story.takes_in(one, services, recent)
                and not self._is_left(one, frame)
                and any(belongs(f, one, frame, tenant.calls) for f in harmful)
            ]
            if fitting:
                return story.joined(fitting[-1], found, frame)
            if again is not None:
                reopened = replace(again, status=Status.OPEN, resolved_unix=None)
                return story.joined(reopened, found, frame)
            return made

        now = self._platform.incidents.open_or_join(choose, name)
        tenant.open[now.id] = now
        tenant.announced = {**tenant.announced, now.id: self._announced(now)}
        tenant.past = [one for one in tenant.past if one.id != now.id]
        if now.id == made.id:
            telemetry.INCIDENTS_OPENED.inc()
            log.info("incident opened", extra={"incident": made.id, "symptom": str(made.symptom)})
            self._diagnose(tenant, now, float(frame.times[-1]))

    def _is_left(self, incident: Incident, frame: Window) -> bool:
        """Whether it has been quiet for so long that only whoever ends it lags behind."""
        quiet = (frame.times[-1] - incident.last_change_unix) / frame.step_seconds
        return bool(quiet >= 2 * self._options.quiet_rows) and not story.is_alerted(incident)

    def _demoted(self, incident: Incident) -> Incident:
        """The incident, as information only where announced work explains it."""
        return demoted(incident, self._announced(incident))

    def _announced(self, incident: Incident) -> tuple[ChangeEvent, ...]:
        return self._platform.change_events.between(
            incident.opened_unix - LONGEST_SECONDS, incident.opened_unix, incident.tenant
        )

    def _returned(self, tenant: _Tenant, frame: Window, symptom: Series) -> Incident | None:
        """The incident that ended just now and that this symptom was part of."""
        for one in reversed(tenant.past):
            if frame.times[-1] - one.last_change_unix > self._options.hold_seconds:
                return None
            if symptom in (one.symptom, *(c.series for c in one.changes)):
                return one
        return None

    def _follow(
        self,
        tenant: _Tenant,
        incident: Incident,
        frame: Window,
        found: tuple[Finding, ...],
        away: frozenset[Series],
    ) -> None:
        """Join what changed since, note the time of the last symptom, and see if it is over."""
        row_unix = float(frame.times[-1])
        events = tenant.announced.get(incident.id, ())

        def change(known: Incident) -> Incident:
            now = demoted(story.joined(known, found, frame), events)
            return replace(now, last_change_unix=row_unix) if story.is_present(known, away) else now

        now = change(incident)
        if self._is_over(now, frame):
            self._resolve(tenant, now, frame)
            return
        if now != incident:
            self._go_on(tenant, incident, self._revised(incident, change))
        settled = now.onset_unix + self._options.settled_rows * frame.step_seconds
        if tenant.diagnosed_until.get(incident.id, 0.0) < settled <= row_unix:
            self._diagnose(tenant, now, row_unix)

    def _is_over(self, incident: Incident, frame: Window) -> bool:
        """Quiet for long enough, or so old that it is the new normal.

        Whether it is quiet is for the process to say that watches the symptom, and where an
        alert opened it for the alert.
        """
        if story.is_alerted(incident):
            return False
        quiet = (frame.times[-1] - incident.last_change_unix) / frame.step_seconds
        age = frame.times[-1] - incident.onset_unix
        half_window = self._options.window_rows // 2 * frame.step_seconds
        watched = self._share.has(incident.tenant, incident.symptom.service)
        return bool(
            (watched and quiet >= self._options.quiet_rows)
            or age >= max(self._options.new_normal_seconds, half_window)
        )

    def _resolve(self, tenant: _Tenant, incident: Incident, frame: Window) -> None:
        """End it, unless another process has seen a symptom of it since."""
        now = replace(incident, status=Status.RESOLVED, resolved_unix=float(frame.times[-1]))
        if tenant.diagnosed_until.get(incident.id, 0.0) < incident.last_change_unix:
            self._diagnose(tenant, now, incident.last_change_unix)

        def end(known: Incident) -> Incident:
            going_on = known.last_change_unix > incident.last_change_unix
            ended = known.status is Status.RESOLVED
            return known if going_on or ended else replace(now, handling=known.handling)

        stored = self._revised(incident, end)
        if stored.status is Status.OPEN:
            tenant.open[stored.id] = stored
            return
        self._past(tenant, stored)
        telemetry.INCIDENTS_RESOLVED.inc()
        log.info("incident resolved", extra={"incident": incident.id})

    def _revised(self, incident: Incident, change: Callable[[Incident], Incident]) -> Incident:
        return self._platform.incidents.revise(incident.id, change, incident.tenant)

    def _diagnose(self, tenant: _Tenant, incident: Incident, end_unix: float) -> None:
        """Ask for a diagnosis from the rows up to a time."""
        self._platform.jobs.submit(
            "diagnose", incident_id=incident.id, tenant=incident.tenant, end_unix=end_unix
        )
        tenant.diagnosed_until[incident.id] = end_unix


def _measured(window: Window) -> Window:
    """The window without the rows before its first sample."""
    known = np.flatnonzero(np.any(np.isfinite(window.values), axis=1))
    return window.rows(int(known[0]), len(window.times))
