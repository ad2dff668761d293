"""What each process counted, as it tells the others."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("process", sa.String(512), nullable=False),
        sa.Column("told_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "process", name="pk_tally"),
    )


def downgrade() -> None:
    op.drop_table("tally")
