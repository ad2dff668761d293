"""Alerts and change events."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _alerts()
    _change_events()


def downgrade() -> None:
    op.drop_table("change_event")
    op.drop_table("alert")


def _alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("seen_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("tenant", "key", name="uq_alert_tenant_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_tenant_incident_id", "alert", ["tenant", "incident_id"])
    op.create_index("ix_alert_seen_unix", "alert", ["seen_unix"])


def _change_events() -> None:
    op.create_table(
        "change_event",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_event"),
        sa.UniqueConstraint("tenant", "key", name="uq_change_event_tenant_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_event_tenant_at_unix", "change_event", ["tenant", "at_unix"])
