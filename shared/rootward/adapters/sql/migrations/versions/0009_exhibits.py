"""The rows that diagnoses looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exhibit",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident_id", name="pk_exhibit"),
    )
    op.create_index("ix_exhibit_at_unix", "exhibit", ["at_unix"])


def downgrade() -> None:
    op.drop_table("exhibit")
