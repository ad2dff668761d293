"""Large computations in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "whole",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("method", sa.String(128), nullable=False),
        sa.Column("shared", sa.LargeBinary, nullable=False),
        sa.Column("created_unix", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_whole"),
    )
    op.create_table(
        "part",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("whole", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("token", sa.String(32)),
        sa.Column("lease_unix", sa.Double),
        sa.Column("answer", sa.LargeBinary),
        sa.PrimaryKeyConstraint("whole", "number", name="pk_part"),
    )


def downgrade() -> None:
    op.drop_table("part")
    op.drop_table("whole")
