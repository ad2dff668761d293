"""The tables. Every row carries a tenant; times are Unix seconds, or microseconds in `_us`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_BigKey = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only in a column that is exactly INTEGER."""


def counted() -> Column[int]:
    """An id that is never given twice, not even after its row has gone."""
    return Column("id", _BigKey, primary_key=True, autoincrement=True)


def _tenant() -> Column[str]:
    return Column("tenant", String(128), nullable=False)


def _tenant_key() -> Column[str]:
    return Column("tenant", String(128), primary_key=True)


series = Table(
    "series",
    metadata,
    counted(),
    _tenant(),
    Column("digest", String(64), nullable=False),
    Column("metric", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    UniqueConstraint("tenant", "digest"),
    sqlite_autoincrement=True,
)

chunk = Table(
    "chunk",
    metadata,
    counted(),
    _tenant(),
    Column("level", SmallInteger, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "tenant", "end_us"),
    Index(None, "tenant", "level"),
    sqlite_autoincrement=True,
)

incident = Table(
    "incident",
    metadata,
    _tenant_key(),
    Column("id", String(128), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("opened_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "number"),
    Index(None, "tenant", "opened_unix", "number"),
)

incident_head = Table(
    "incident_head",
    metadata,
    _tenant_key(),
    Column("incident_id", String(128), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("opened_unix", Double, nullable=False),
    Column("status", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("assignee", String(256), nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    Column("merged_into", String(128), nullable=False),
    Column("searched", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "tenant", "merged_into", "opened_unix", "number"),
    Index(None, "tenant", "merged_into", "status", "opened_unix", "number"),
    Index(
        "ix_incident_head_facets",
        *("tenant", "merged_into", "status", "severity", "assignee", "acknowledged"),
    ),
)

activity = Table(
    "activity",
    metadata,
    counted(),
    _tenant(),
    Column("incident_id", String(128), nullable=False),
    Column("at_unix", Double, nullable=False),
    Column("actor", String(256), nullable=False),
    Column("action", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "tenant", "incident_id", "id"),
    sqlite_autoincrement=True,
)

event = Table(
    "event",
    metadata,
    counted(),
    _tenant(),
    Column("kind", String(32), nullable=False),
    Column("incident_id", String(128), nullable=False),
    Column("at_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "at_unix"),
    Index(None, "tenant", "incident_id", "kind", "id"),
    sqlite_autoincrement=True,
)

run = Table(
    "run",
    metadata,
    counted(),
    _tenant(),
    Column("key", String(64), nullable=False),
    Column("created_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "key"),
    Index(None, "created_unix"),
    Index(None, "tenant", "id"),
    sqlite_autoincrement=True,
)

feedback = Table(
    "feedback",
    metadata,
    _tenant_key(),
    Column("incident_id", String(128), primary_key=True),
    Column("service", String(512), primary_key=True),
    Column("actor", String(256), primary_key=True),
    Column("at_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "tenant", "at_unix"),
)

outbox = Table(
    "outbox",
    metadata,
    counted(),
    _tenant(),
    Column("target", String(128), nullable=False),
    Column("key", String(256), nullable=False),
    Column("due_unix", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("target", "key"),
    Index(None, "state", "due_unix"),
    sqlite_autoincrement=True,
)

exhibit = Table(
    "exhibit",
    metadata,
    _tenant_key(),
    Column("incident_id", String(128), primary_key=True),
    Column("at_unix", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "at_unix"),
)

reply = Table(
    "reply",
    metadata,
    _tenant_key(),
    Column("key", String(256), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("at_unix", Double, nullable=False),
    Column("body", Text),
    Index(None, "at_unix"),
)

incident_service = Table(
    "incident_service",
    metadata,
    _tenant_key(),
    Column("service", String(512), primary_key=True),
    Column("incident_id", String(128), primary_key=True),
    Index(None, "tenant", "incident_id", "service"),
)

diagnosis = Table(
    "diagnosis",
    metadata,
    _tenant_key(),
    Column("incident_id", String(128), primary_key=True),
    Column("body", Text),
    Column("failure", Text),
)

analysis = Table(
    "analysis",
    metadata,
    _tenant_key(),
    Column("incident_id", String(128), primary_key=True),
    Column("method", String(128), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("body", Text, nullable=False),
)

method = Table(
    "method",
    metadata,
    _tenant_key(),
    Column("name", String(128), primary_key=True),
    Column("body", Text, nullable=False),
)

queued_batch = Table(
    "queued_batch",
    metadata,
    counted(),
    _tenant(),
    Column("body", LargeBinary, nullable=False),
    Column("chunk_id", BigInteger),
    sqlite_autoincrement=True,
)

job = Table(
    "job",
    metadata,
    counted(),
    _tenant(),
    Column("name", String(128), nullable=False),
    Column("payload", Text, nullable=False),
    Column("waiting_key", String(64)),
    Column("tries", Integer, nullable=False),
    Column("set_unix", Double, nullable=False),
    Column("run_after_unix", Double, nullable=False),
    Column("lane", String(16), nullable=False, server_default="batch"),
    Column("token", String(32)),
    Column("holder", String(128)),
    Column("lease_unix", Double),
    Column("limit_unix", Double),
    Column("rung_unix", Double),
    UniqueConstraint("waiting_key"),
    Index(None, "run_after_unix", "id"),
    sqlite_autoincrement=True,
)

whole = Table(
    "whole",
    metadata,
    _tenant(),
    Column("id", String(32), primary_key=True),
    Column("method", String(128), nullable=False),
    Column("shared", LargeBinary, nullable=False),
    Column("created_unix", Double, nullable=False),
)

part = Table(
    "part",
    metadata,
    _tenant(),
    Column("whole", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("token", String(32)),
    Column("lease_unix", Double),
    Column("answer", LargeBinary),
)

placement = Table(
    "placement",
    metadata,
    _tenant_key(),
    Column("namespace", String(256), primary_key=True),
    Column("at_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
)

schedule = Table(
    "schedule",
    metadata,
    _tenant_key(),
    Column("name", String(128), primary_key=True),
    Column("every_seconds", Double, nullable=False),
    Column("due_unix", Double, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    counted(),
    _tenant(),
    Column("kind", String(16), nullable=False),
    Column("name", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("dead_unix", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

alert = Table(
    "alert",
    metadata,
    counted(),
    _tenant(),
    Column("key", String(256), nullable=False),
    Column("status", String(16), nullable=False),
    Column("service", Text, nullable=False),
    Column("incident_id", String(128), nullable=False),
    Column("seen_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "key"),
    Index(None, "tenant", "incident_id"),
    Index(None, "seen_unix"),
    Index(None, "tenant", "id"),
    sqlite_autoincrement=True,
)

change_event = Table(
    "change_event",
    metadata,
    counted(),
    _tenant(),
    Column("key", String(64), nullable=False),
    Column("at_unix", Double, nullable=False),
    Column("service", Text, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("tenant", "key"),
    Index(None, "tenant", "at_unix"),
    Index(None, "tenant", "id"),
    sqlite_autoincrement=True,
)

api_token = Table(
    "api_token",
    metadata,
    _tenant(),
    Column("digest", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("rights", Text, nullable=False),
    Column("created_unix", Double, nullable=False),
    Column("expires_unix", Double),
    Column("used_unix", Double),
    Column("revoked_unix", Double),
    Index(None, "tenant", "name"),
)

person = Table(
    "person",
    metadata,
    _tenant(),
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_unix", Double, nullable=False),
)

login_session = Table(
    "login_session",
    metadata,
    _tenant(),
    Column("digest", String(64), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("created_unix", Double, nullable=False),
    Column("seen_unix", Double, nullable=False),
    Index(None, "person"),
)

audit = Table(
    "audit",
    metadata,
    counted(),
    _tenant(),
    Column("at_unix", Double, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "tenant", "id"),
    sqlite_autoincrement=True,
)
"""Append-only: triggers of the database refuse to change or to delete a row."""
