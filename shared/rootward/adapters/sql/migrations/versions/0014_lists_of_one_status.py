"""What the list of open incidents is read by where nearly all are resolved."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_NAME = "ix_incident_head_tenant_merged_into_status_opened_unix_number"
_COLUMNS = ["tenant", "merged_into", "status", "opened_unix", "number"]


def upgrade() -> None:
    op.create_index(_NAME, "incident_head", _COLUMNS)


def downgrade() -> None:
    op.drop_index(_NAME, "incident_head")
