"""What people say about candidates."""

from __future__ import annotations

from sqlalchemy import Connection, select

from rootward.adapters.sql import events, tables
from rootward.adapters.sql import incident_rows as rows
from rootward.adapters.sql.engine import Database
from rootward.codec import from_json, to_json
from rootward.model.feedback import Feedback
from rootward.ports import DEFAULT_TENANT

_FEEDBACK = tables.feedback.c


class SqlFeedbackStore:
    """One row for each incident, service and person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, feedback: Feedback, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person; raises NotFound."""

        def work(connection: Connection) -> None:
            events.in_order(self._database, connection)
            known = rows.found(connection, tenant, feedback.incident_id)
            key = {
                "tenant": tenant,
                "incident_id": known.id,
                "service": feedback.service,
                "actor": feedback.actor,
            }
            values = {"at_unix": feedback.at_unix, "body": to_json(feedback, Feedback)}
            rows.put(connection, tables.feedback, key, values)
            rows.note(connection, known, feedback.line)

        self._database.write(work)

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said about the candidates of an incident, the earliest first."""
        query = (
            select(_FEEDBACK.body)
            .where(_FEEDBACK.tenant == tenant, _FEEDBACK.incident_id == incident_id)
            .order_by(_FEEDBACK.at_unix, _FEEDBACK.service, _FEEDBACK.actor)
        )
        with self._database.reading() as connection:
            return tuple(from_json(body, Feedback) for body in connection.scalars(query))

    def since(self, unix: float, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said since a time about all incidents, the earliest first."""
        query = (
            select(_FEEDBACK.body)
            .where(_FEEDBACK.tenant == tenant, _FEEDBACK.at_unix >= unix)
            .order_by(_FEEDBACK.at_unix)
        )
        with self._database.reading() as connection:
            return tuple(from_json(body, Feedback) for body in connection.scalars(query))
