"""Experiments, with who got what and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "experiment",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("id", sa.String(256), nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("began_unix", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_experiment"),
    )
    op.create_index("ix_experiment_tenant_began_unix", "experiment", ["tenant", "began_unix"])


def downgrade() -> None:
    op.drop_table("experiment")
