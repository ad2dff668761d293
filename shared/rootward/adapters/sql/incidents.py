"""Incidents, their diagnoses and the log of who did what: SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, and_, select

from rootward.adapters.clock import SystemClock
from rootward.adapters.sql import events, tables
from rootward.adapters.sql import incident_rows as rows
from rootward.adapters.sql import incident_search as searching
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.outbox import Post
from rootward.codec import from_json, to_json
from rootward.errors import Outdated
from rootward.model.handling import Activity
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.summary import Facets, IncidentQuery, Summary, SummaryPage
from rootward.model.updating import updated
from rootward.ports import DEFAULT_TENANT, Clock, IncidentPage
from rootward.ports.incidents import Act, Deed

_INCIDENT = tables.incident.c
_DIAGNOSIS = tables.diagnosis.c


class SqlIncidentStore:
    """Incidents as JSON, with the columns that are searched by."""

    def __init__(
        self, database: Database, clock: Clock | None = None, post: Post | None = None
    ) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self._post = post or Post()

    def open(self, incident: Incident) -> Incident:
        """Store a new incident and number it; one with this id that is there already stays."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, incident.tenant)
            known = rows.find(connection, incident.tenant, incident.id)
            return known or self._opened(connection, incident)

        return self._database.write(work)

    def update(self, incident: Incident) -> None:
        """Replace what the detector knows of an incident; raises NotFound."""
        self.revise(incident.id, lambda _: incident, incident.tenant)

    def open_or_join(
        self,
        choose: Callable[[tuple[Incident, ...]], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Store what `choose` makes of the open incidents: one of them, changed, or a new one."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, tenant)
            chosen = choose(_current(connection, tenant))
            known = rows.find(connection, tenant, chosen.id)
            if known is None:
                return self._opened(connection, chosen)
            return self._revised(connection, known, chosen)

        return self._database.write(work)

    def revise(
        self,
        incident_id: str,
        change: Callable[[Incident], Incident],
        tenant: str = DEFAULT_TENANT,
    ) -> Incident:
        """Replace an incident by what `change` makes of it as it is now; raises NotFound."""

        def work(connection: Connection) -> Incident:
            self._alone(connection, tenant)
            known = rows.found(connection, tenant, incident_id)
            return self._revised(connection, known, change(known))

        return self._database.write(work)

    def _alone(self, connection: Connection, tenant: str) -> None:
        """Let nobody else open or change incidents of the tenant until the commit."""
        self._database.exclude(connection, f"incidents of {tenant}")
        events.in_order(self._database, connection)

    def _opened(self, connection: Connection, incident: Incident) -> Incident:
        numbered = rows.write_new(connection, incident)
        line = Activity(incident.id, self._clock.now(), "", "opened", incident.title)
        self._note(connection, numbered, line)
        return numbered

    def _revised(self, connection: Connection, known: Incident, told: Incident) -> Incident:
        changed, lines = updated(known, told, self._clock.now())
        if changed != known:
            rows.rewrite(connection, changed)
        for line in lines:
            self._note(connection, changed, line)
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

        def work(connection: Connection) -> tuple[Incident, ...]:
            self._alone(connection, tenant)
            asked = [rows.found(connection, tenant, one) for one in incident_ids]
            if version is not None and asked[0].handling.version != version:
                raise Outdated(
                    f"the incident is at version {asked[0].handling.version}, not {version}; "
                    "read it again"
                )
            before = {one.id: one for one in asked}
            return tuple(
                self._done(connection, before.get(deed.incident.id), deed) for deed in act(asked)
            )

        return self._database.write(work)

    def _done(self, connection: Connection, before: Incident | None, deed: Deed) -> Incident:
        after = deed.incident
        if before is None:
            after = rows.write_new(connection, after)
        elif after != before:
            handling = replace(after.handling, version=before.handling.version + 1)
            after = replace(after, handling=handling)
            rows.rewrite(connection, after)
        self._note(connection, after, deed.activity)
        return after

    def _note(self, connection: Connection, incident: Incident, line: Activity) -> None:
        """Log it, and write to those who want to know, in one transaction with the change."""
        self._post.write(connection, incident, rows.note(connection, incident, line))

    def log(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Activity, ...]:
        """The log of an incident and of those merged into it, the earliest line first."""
        column = tables.activity.c
        with self._database.reading() as connection:
            known = rows.found(connection, tenant, incident_id)
            wanted = column.incident_id.in_((known.id, *known.handling.absorbed))
            lines = connection.execute(
                select(column.id, column.body)
                .where(column.tenant == tenant, wanted)
                .order_by(column.id)
            ).all()
        return tuple(replace(from_json(line.body, Activity), id=line.id) for line in lines)

    def current(self, tenant: str = DEFAULT_TENANT) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        with self._database.reading() as connection:
            return _current(connection, tenant)

    def get(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Incident:
        """One incident by its id or name; for a merged one, the other. Raises NotFound."""
        with self._database.reading() as connection:
            known = rows.found(connection, tenant, incident_id)
            if known.handling.merged_into:
                return rows.found(connection, tenant, known.handling.merged_into)
            return known

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: Status | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> IncidentPage:
        """Incidents that were not merged, newest first; raises InvalidInput for the cursor."""
        query = IncidentQuery(
            statuses=() if status is None else (status,),
            services=() if service is None else (service,),
        )
        with self._database.reading() as connection:
            found, more = searching.page(
                connection, searching.conditions(query, tenant), limit, cursor
            )
            whole = _whole(connection, tenant, [row.incident_id for row in found])
        return IncidentPage(whole, more)

    def search(
        self,
        query: IncidentQuery,
        tenant: str = DEFAULT_TENANT,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SummaryPage:
        """Incidents that fit, in short, newest first; raises InvalidInput for the cursor."""
        with self._database.reading() as connection:
            wanted = searching.conditions(query, tenant)
            found, more = searching.page(connection, wanted, limit, cursor)
        return SummaryPage(searching.summaries(found), more)

    def summaries(
        self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT
    ) -> tuple[Summary, ...]:
        """Those of these incidents that are there, in short; merged ones as themselves."""
        with self._database.reading() as connection:
            return searching.summaries_of(connection, tenant, incident_ids)

    def count(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> int:
        """How many incidents fit; those that were merged are left out."""
        with self._database.reading() as connection:
            return searching.count(connection, query, tenant)

    def facets(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> Facets:
        """How many incidents there are of each status, severity, service and assignee."""
        with self._database.reading() as connection:
            return searching.facets(connection, query, tenant)

    def save(self, incident_id: str, diagnosis: Diagnosis, tenant: str = DEFAULT_TENANT) -> None:
        """Store the diagnosis of an incident; a later one replaces it. Raises NotFound."""
        values: dict[str, object] = {"body": to_json(diagnosis, Diagnosis), "failure": None}
        self._set_diagnosis(incident_id, tenant, values, ("diagnosed", diagnosis.conclusion))

    def fail(self, incident_id: str, reason: str, tenant: str = DEFAULT_TENANT) -> None:
        """Note why the diagnosis failed; a diagnosis that is there stays. Raises NotFound."""
        self._set_diagnosis(incident_id, tenant, {"failure": reason}, ("diagnosis_failed", reason))

    def diagnosis(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Diagnosis | None:
        """The diagnosis of an incident, None while there is none."""
        body = self._read_diagnosis(_DIAGNOSIS.body, incident_id, tenant)
        return None if body is None else from_json(body, Diagnosis)

    def failure(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> str | None:
        """Why the last diagnosis failed, None if it did not."""
        return self._read_diagnosis(_DIAGNOSIS.failure, incident_id, tenant)

    def check(self) -> None:
        """Raise Unavailable with the reason unless the store answers."""
        with self._database.reading() as connection:
            connection.execute(select(_INCIDENT.id).limit(1)).all()

    def _set_diagnosis(
        self, incident_id: str, tenant: str, values: dict[str, object], told: tuple[str, str]
    ) -> None:
        now = self._clock.now()

        def work(connection: Connection) -> None:
            self._alone(connection, tenant)
            known = rows.found(connection, tenant, incident_id)
            key = {"tenant": tenant, "incident_id": known.id}
            rows.put(connection, tables.diagnosis, key, values)
            rows.write_head(connection, known)
            self._note(connection, known, Activity(known.id, now, "", *told))

        self._database.write(work)

    def _read_diagnosis(
        self, column: ColumnElement[str | None], incident_id: str, tenant: str
    ) -> str | None:
        query = (
            select(column)
            .join(
                tables.incident,
                and_(_DIAGNOSIS.tenant == _INCIDENT.tenant, _DIAGNOSIS.incident_id == _INCIDENT.id),
            )
            .where(_INCIDENT.tenant == tenant, rows.names(incident_id))
        )
        with self._database.reading() as connection:
            return connection.scalar(query)


def _current(connection: Connection, tenant: str) -> tuple[Incident, ...]:
    query = (
        select(_INCIDENT.body)
        .where(_INCIDENT.tenant == tenant, _INCIDENT.status == Status.OPEN.value)
        .order_by(_INCIDENT.opened_unix, _INCIDENT.number)
    )
    return tuple(from_json(body, Incident) for body in connection.scalars(query))


def _whole(connection: Connection, tenant: str, ids: Sequence[str]) -> tuple[Incident, ...]:
    """Incidents by their ids, in the order of these."""
    query = select(_INCIDENT.id, _INCIDENT.body).where(
        _INCIDENT.tenant == tenant, _INCIDENT.id.in_(ids)
    )
    bodies = {row.id: row.body for row in connection.execute(query)}
    return tuple(from_json(bodies[one], Incident) for one in ids)
