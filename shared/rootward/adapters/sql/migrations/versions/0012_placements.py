"""What runs where in a cluster."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "placement",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("namespace", sa.String(256), nullable=False),
        sa.Column("at_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "namespace", name="pk_placement"),
    )


def downgrade() -> None:
    op.drop_table("placement")
