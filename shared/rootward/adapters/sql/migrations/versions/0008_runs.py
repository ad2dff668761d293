"""Diagnoses by request, feedback, and what is to be sent to others."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("created_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("tenant", "key", name="uq_run_tenant_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_created_unix", "run", ["created_unix"])
    op.create_table(
        "feedback",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("service", sa.String(512), nullable=False),
        sa.Column("actor", sa.String(256), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident_id", "service", "actor", name="pk_feedback"),
    )
    op.create_index("ix_feedback_tenant_at_unix", "feedback", ["tenant", "at_unix"])
    _outbox()


def downgrade() -> None:
    for table in ("outbox", "feedback", "run"):
        op.drop_table(table)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("target", sa.String(128), nullable=False),
        sa.Column("key", sa.String(256), nullable=False),
        sa.Column("due_unix", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("target", "key", name="uq_outbox_target_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_state_due_unix", "outbox", ["state", "due_unix"])
