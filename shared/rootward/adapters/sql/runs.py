"""Diagnoses that people asked for: JSON in rows."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select, update

from rootward.adapters.sql import events, tables
from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.paging import page as page_of
from rootward.codec import from_json, to_json
from rootward.errors import NotFound
from rootward.model.event import Event
from rootward.model.run import DiagnosisRun
from rootward.ports import DEFAULT_TENANT, Clock
from rootward.ports.answers import RunPage

_RUN = tables.run.c


class SqlRunStore:
    """One row a run; every change is told as an event."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def put(self, run: DiagnosisRun) -> None:
        """Store a new run durably."""
        row = {
            "tenant": run.tenant,
            "key": run.id,
            "created_unix": run.created_unix,
            "body": to_json(run, DiagnosisRun),
        }

        def work(connection: Connection) -> None:
            connection.execute(insert(tables.run).values(row))
            self._tell(connection, run)

        self._database.write(work)

    def get(self, run_id: str, tenant: str = DEFAULT_TENANT) -> DiagnosisRun:
        """One run; raises NotFound where there is none."""
        with self._database.reading() as connection:
            return _found(connection, run_id, tenant)

    def revise(
        self,
        run_id: str,
        change: Callable[[DiagnosisRun], DiagnosisRun],
        tenant: str = DEFAULT_TENANT,
    ) -> DiagnosisRun:
        """Replace a run that is not over; raises NotFound."""

        def work(connection: Connection) -> DiagnosisRun:
            self._database.exclude(connection, f"runs of {tenant}")
            known = _found(connection, run_id, tenant)
            if known.state.over:
                return known
            changed = change(known)
            connection.execute(
                update(tables.run)
                .where(_RUN.tenant == tenant, _RUN.key == run_id)
                .values(body=to_json(changed, DiagnosisRun))
            )
            self._tell(connection, changed)
            return changed

        return self._database.write(work)

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> RunPage:
        """Runs, newest first; raises InvalidInput for a cursor that is not ours."""
        with self._database.reading() as connection:
            bodies, more = page_of(connection, tables.run, [_RUN.tenant == tenant], limit, cursor)
        return RunPage(tuple(from_json(body, DiagnosisRun) for body in bodies), more)

    def expire(self, before_unix: float) -> int:
        """Delete runs of before a time; returns how many went."""
        change = delete(tables.run).where(_RUN.created_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)

    def _tell(self, connection: Connection, run: DiagnosisRun) -> None:
        events.in_order(self._database, connection)
        step = run.steps[-1].name if run.steps else None
        facts = {"run": run.id, "state": run.state.value, "step": step}
        events.add(connection, run.tenant, Event(0, "diagnosis", "", self._clock.now(), facts))


def _found(connection: Connection, run_id: str, tenant: str) -> DiagnosisRun:
    body = connection.scalar(select(_RUN.body).where(_RUN.tenant == tenant, _RUN.key == run_id))
    if body is None:
        raise NotFound(f"there is no diagnosis {run_id}")
    return from_json(body, DiagnosisRun)
