"""Lanes, leases and schedules of jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lane = sa.Column("lane", sa.String(16), nullable=False, server_default="batch")
    token, holder = sa.Column("token", sa.String(32)), sa.Column("holder", sa.String(128))
    times = (sa.Column(name, sa.Double) for name in ("lease_unix", "limit_unix", "rung_unix"))
    for column in (lane, token, holder, *times):
        op.add_column("job", column)
    op.create_table(
        "schedule",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("every_seconds", sa.Double, nullable=False),
        sa.Column("due_unix", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_schedule"),
    )


def downgrade() -> None:
    op.drop_table("schedule")
    for name in ("rung_unix", "limit_unix", "lease_unix", "holder", "token", "lane"):
        op.drop_column("job", name)
