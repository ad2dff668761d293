"""What lists show of incidents, their log, the stream of events, answers by key."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _heads()
    _logs()
    _replies()
    _fill_heads(op.get_bind())


def downgrade() -> None:
    for table in ("reply", "event", "activity", "incident_head"):
        op.drop_table(table)


def _heads() -> None:
    op.create_table(
        "incident_head",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("opened_unix", sa.Double, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("assignee", sa.String(256), nullable=False),
        sa.Column("acknowledged", sa.Boolean, nullable=False),
        sa.Column("merged_into", sa.String(128), nullable=False),
        sa.Column("searched", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident_id", name="pk_incident_head"),
    )
    op.create_index(
        "ix_incident_head_tenant_merged_into_opened_unix_number",
        "incident_head",
        ["tenant", "merged_into", "opened_unix", "number"],
    )
    op.create_index(
        "ix_incident_head_facets",
        "incident_head",
        ["tenant", "merged_into", "status", "severity", "assignee", "acknowledged"],
    )


def _logs() -> None:
    op.create_table(
        "activity",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("actor", sa.String(256), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_activity_tenant_incident_id_id", "activity", ["tenant", "incident_id", "id"]
    )
    op.create_table(
        "event",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_at_unix", "event", ["at_unix"])


def _replies() -> None:
    op.create_table(
        "reply",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_reply"),
    )
    op.create_index("ix_reply_at_unix", "reply", ["at_unix"])


def _fill_heads(bind: sa.Connection) -> None:
    """Give each incident that is there its row."""
    known = bind.execute(
        sa.text(
            "SELECT i.tenant, i.id, i.number, i.opened_unix, i.status, i.body, d.body AS found, "
            "d.failure FROM incident i LEFT JOIN diagnosis d "
            "ON d.tenant = i.tenant AND d.incident_id = i.id"
        )
    )
    heads = sa.table(
        "incident_head",
        *(
            sa.column(name)
            for name in (
                *("tenant", "incident_id", "number", "opened_unix", "status", "severity"),
                *("assignee", "acknowledged", "merged_into", "searched", "body"),
            )
        ),
    )
    for row in known.all():
        bind.execute(sa.insert(heads).values(_head(row)))


def _head(row: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    incident = json.loads(row.body)
    changed = {dict(c["series"]["labels"])["service"] for c in incident["changes"]}
    services = sorted({*changed, dict(incident["symptom"]["labels"])["service"]})
    found = json.loads(row.found) if row.found else None
    summary: dict[str, object] = {
        "incident": incident | {"changes": []},
        "services": services,
        "reason": row.failure or "",
    }
    if found is not None:
        causes = found["candidates"]
        summary |= {"state": "ready", "first_cause": causes[0]["service"] if causes else None}
        summary |= {k: found[k] for k in ("conclusion", "band", "confidence", "abstained")}
    elif row.failure is not None:
        summary["state"] = "failed"
    conclusion = found["conclusion"] if found else ""
    text = [f"INC-{row.number}", incident["title"], conclusion, *services, ""]
    return {
        "tenant": row.tenant,
        "incident_id": row.id,
        "number": row.number,
        "opened_unix": row.opened_unix,
        "status": row.status,
        "severity": incident["severity"],
        "assignee": "",
        "acknowledged": False,
        "merged_into": "",
        "searched": "\n".join(text).lower(),
        "body": json.dumps(summary, ensure_ascii=False, separators=(",", ":")),
    }
