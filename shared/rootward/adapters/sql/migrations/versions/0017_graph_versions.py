"""The causal graphs of services, version by version."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "graph_version",
        sa.Column("id", _BIG_KEY, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("service", sa.String(512), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("created_unix", sa.Double, nullable=False),
        sa.Column("quiet_from_unix", sa.Double, nullable=False),
        sa.Column("held_until_unix", sa.Double, nullable=False),
        sa.Column("noticed", sa.Boolean, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint(
            "tenant", "service", "number", name="uq_graph_version_tenant_service_number"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_graph_version_tenant_noticed_id", "graph_version", ["tenant", "noticed", "id"]
    )


def downgrade() -> None:
    op.drop_table("graph_version")
