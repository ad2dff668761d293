"""PostgreSQL does not compress chunks again, and cleans up behind the queues at once."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OFTEN = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000"
_OFTEN_TOAST = "toast.autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_cost_delay = 0"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE chunk ALTER COLUMN body SET STORAGE EXTERNAL")
        op.execute(f"ALTER TABLE chunk SET ({_OFTEN}, {_OFTEN_TOAST})")
        op.execute(f"ALTER TABLE queued_batch SET ({_OFTEN})")
        op.execute(f"ALTER TABLE job SET ({_OFTEN})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE chunk ALTER COLUMN body SET STORAGE EXTENDED")
