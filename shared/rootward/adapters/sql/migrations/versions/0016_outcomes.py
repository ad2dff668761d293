"""What came of checks and remedies, as people tell it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outcome",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("service", sa.String(512), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(256), nullable=False),
        sa.Column("told_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant", "incident_id", "service", "action", "actor", name="pk_outcome"
        ),
    )
    op.create_index("ix_outcome_tenant_told_unix", "outcome", ["tenant", "told_unix"])


def downgrade() -> None:
    op.drop_table("outcome")
