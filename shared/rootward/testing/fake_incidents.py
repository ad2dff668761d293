"""Incidents in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rootward.errors import InvalidInput, NotFound, Outdated
from rootward.model.event import Facts
from rootward.model.handling import Activity
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.summary import (
    COUNTED_FOR_SERVICES,
    MOST_SERVICES,
    Facets,
    IncidentQuery,
    Summary,
    SummaryPage,
)
from rootward.model.updating import updated
from rootward.ports import DEFAULT_TENANT, Clock, Events, IncidentPage
from rootward.ports.incidents import Act


class FakeIncidentStore:
    """Incidents in a dictionary."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self._clock = clock
        self._events = events
        self._incidents: dict[tuple[str, str], Incident] = {}
        self._diagnoses: dict[tuple[str, str], Diagnosis] = {}
        self._failures: dict[tuple[str, str], str] = {}
        self._log: list[tuple[str, Activity]] = []

    def open(self, incident: Incident) -> Incident:
        """Store a new incident and number it; one with this id that is there already stays."""
        known = self._incidents.get((incident.tenant, incident.id))
        if known is not None:
            return known
        opened = self._number(incident)
        line = Activity(incident.id, self._clock.now(), "", "opened", incident.title)
        self._note(opened, line)
        return opened

    def update(self, incident: Incident) -> None:
        """Replace what the detector knows of an incident; raises NotFound."""
        self.revise(incident.id, lambda _: incident, incident.tenant)

    def open_or_join(
        self,
        choose: Callable[[tuple[Incident, ...]], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Store what `choose` makes of the open incidents: one of them, changed, or a new one."""
        chosen = choose(self.current(tenant))
        if (tenant, chosen.id) in self._incidents:
            return self.revise(chosen.id, lambda _: chosen, tenant)
        return self.open(chosen)

    def revise(
        self,
        incident_id: str,
        change: Callable[[Incident], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Replace an incident by what `change` makes of it as it is now; raises NotFound."""
        known = self._exact(incident_id, tenant)
        changed, lines = updated(known, change(known), self._clock.now())
        self._incidents[tenant, known.id] = changed
        for line in lines:
            self._note(changed, line)
        return changed

    def handle(
        self,
        incident_ids: Sequence[str],
        act: Act,
        tenant: str = DEFAULT_TENANT,
        *,
        version: int | None = None,
    ) -> tuple[Incident, ...]:
        """Do something to incidents, all or nothing; raises NotFound and Outdated."""
        asked = [self._exact(one, tenant) for one in incident_ids]
        if version is not None and asked[0].handling.version != version:
            raise Outdated(f"the incident is at version {asked[0].handling.version}")
        before = {one.id: one for one in asked}
        done = []
        for deed in act(asked):
            after, known = deed.incident, before.get(deed.incident.id)
            if known is None:
                after = self._number(after)
            elif after != known:
                handling = replace(after.handling, version=known.handling.version + 1)
                after = replace(after, handling=handling)
                self._incidents[tenant, after.id] = after
            self._note(after, deed.activity)
            done.append(after)
        return tuple(done)

    def log(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Activity, ...]:
        """The log of an incident and of those merged into it, the earliest line first."""
        known = self._exact(incident_id, tenant)
        ids = {known.id, *known.handling.absorbed}
        return tuple(a for whose, a in self._log if whose == tenant and a.incident_id in ids)

    def current(self, tenant: str = DEFAULT_TENANT) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        return tuple(i for i in self._newest_first(tenant)[::-1] if i.status is Status.OPEN)

    def get(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Incident:
        """One incident by its id or name; for a merged one, the other. Raises NotFound."""
        known = self._exact(incident_id, tenant)
        into = known.handling.merged_into
        return self._exact(into, tenant) if into else known

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: Status | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> IncidentPage:
        """Incidents that were not merged, newest first."""
        query = IncidentQuery(
            statuses=() if status is None else (status,),
            services=() if service is None else (service,),
        )
        found, more = self._page(query, tenant, limit, cursor)
        return IncidentPage(tuple(self._exact(one.incident.id, tenant) for one in found), more)

    def search(
        self,
        query: IncidentQuery,
        tenant: str = DEFAULT_TENANT,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SummaryPage:
        """Incidents that fit, in short, newest first."""
        found, more = self._page(query, tenant, limit, cursor)
        return SummaryPage(tuple(found), more)

    def summaries(
        self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT
    ) -> tuple[Summary, ...]:
        """Those of these incidents that are there, in short; merged ones as themselves."""
        known = {one.incident.id: one for one in self._summaries(tenant)}
        return tuple(known[one] for one in dict.fromkeys(incident_ids) if one in known)

    def count(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> int:
        """How many incidents fit; those that were merged are left out."""
        return sum(query.fits(one) for one in self._summaries(tenant))

    def facets(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> Facets:
        """How many incidents there are of each status, severity, service and assignee."""

        def fitting(wanted: IncidentQuery) -> list[Summary]:
            return [one for one in self._summaries(tenant) if wanted.fits(one)]

        every = fitting(query)
        statuses = fitting(replace(query, statuses=()))
        severities = fitting(replace(query, severities=()))
        assignees = fitting(replace(query, assignees=()))
        services = Counter(
            name
            for one in fitting(replace(query, services=()))[:COUNTED_FOR_SERVICES]
            for name in one.services
        )
        return Facets(
            statuses=Counter(one.incident.status.value for one in statuses),
            severities=Counter(one.incident.severity.value for one in severities),
            services=dict(services.most_common(MOST_SERVICES)),
            assignees=Counter(one.incident.handling.assignee for one in assignees),
            acknowledged=len(fitting(replace(query, acknowledged=True))),
            total=len(every),
        )

    def save(self, incident_id: str, diagnosis: Diagnosis, tenant: str = DEFAULT_TENANT) -> None:
        """Store the diagnosis of an incident; a later one replaces it, and a failure."""
        known = self._exact(incident_id, tenant)
        self._diagnoses[tenant, known.id] = diagnosis
        self._failures.pop((tenant, known.id), None)
        now = self._clock.now()
        self._note(known, Activity(known.id, now, "", "diagnosed", diagnosis.conclusion))

    def fail(self, incident_id: str, reason: str, tenant: str = DEFAULT_TENANT) -> None:
        """Note that the diagnosis failed and why; a diagnosis that is there stays."""
        known = self._exact(incident_id, tenant)
        self._failures[tenant, known.id] = reason
        now = self._clock.now()
        self._note(known, Activity(known.id, now, "", "diagnosis_failed", reason))

    def diagnosis(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Diagnosis | None:
        """The diagnosis of an incident, None while there is none."""
        return self._diagnoses.get((tenant, self._id(incident_id, tenant)))

    def failure(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> str | None:
        """Why the last diagnosis failed, None if it did not."""
        return self._failures.get((tenant, self._id(incident_id, tenant)))

    def check(self) -> None:
        """Nothing can fail."""

    def with_absorbed(self, incident_id: str, tenant: str) -> Iterable[str]:
        """The id, and the ids of the incidents that went into this one."""
        known = self._incidents.get((tenant, incident_id))
        return (incident_id, *(known.handling.absorbed if known else ()))

    def _number(self, incident: Incident) -> Incident:
        number = 1 + sum(tenant == incident.tenant for tenant, _ in self._incidents)
        numbered = replace(incident, number=number)
        self._incidents[incident.tenant, incident.id] = numbered
        return numbered

    def _note(self, incident: Incident, line: Activity) -> None:
        self._log.append((incident.tenant, replace(line, id=len(self._log) + 1)))
        facts: Facts = {
            "action": line.action,
            "actor": line.actor,
            "version": incident.handling.version,
        }
        self._events.tell("incident", incident.id, facts, incident.tenant)

    def _exact(self, incident_id: str, tenant: str) -> Incident:
        for incident in self._newest_first(tenant):
            if incident_id in (incident.id, f"INC-{incident.number}"):
                return incident
        raise NotFound(f"there is no incident {incident_id}")

    def _summaries(self, tenant: str) -> list[Summary]:
        return [
            Summary.of(
                one, self._diagnoses.get((tenant, one.id)), self._failures.get((tenant, one.id))
            )
            for one in self._newest_first(tenant)
        ]

    def _page(
        self, query: IncidentQuery, tenant: str, limit: int, cursor: str | None
    ) -> tuple[list[Summary], str | None]:
        """Its cursor is the number of the last incident seen."""
        if limit < 1:
            raise InvalidInput(f"a page holds at least one incident, not {limit}")
        found = [one for one in self._summaries(tenant) if query.fits(one)]
        start = 0
        if cursor is not None:
            numbers = [str(one.incident.number) for one in found]
            if cursor not in numbers:
                raise InvalidInput("the cursor is not one of ours; start again without one")
            start = numbers.index(cursor) + 1
        items = found[start : start + limit]
        more = len(found) > start + limit
        return items, str(items[-1].incident.number) if more else None

    def _newest_first(self, tenant: str) -> list[Incident]:
        mine = [i for i in self._incidents.values() if i.tenant == tenant]
        return sorted(mine, key=lambda i: (i.opened_unix, i.number or 0), reverse=True)

    def _id(self, incident_id: str, tenant: str) -> str:
        names = (i.id for i in self._newest_first(tenant) if f"INC-{i.number}" == incident_id)
        return next(names, incident_id)
