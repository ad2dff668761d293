"""A batch on the bus is a chunk of the sample store from the start, and is written once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queued_batch", sa.Column("chunk_id", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("queued_batch", "chunk_id")
