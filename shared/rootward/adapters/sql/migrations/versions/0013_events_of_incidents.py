"""What the latest events of an incident are found by."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COLUMNS = ["tenant", "incident_id", "kind", "id"]


def upgrade() -> None:
    op.create_index("ix_event_tenant_incident_id_kind_id", "event", _COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_event_tenant_incident_id_kind_id", "event")
