"""What long lists are read by."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COLUMNS = {
    "incident_service": ["tenant", "incident_id", "service"],
    "alert": ["tenant", "id"],
    "change_event": ["tenant", "id"],
    "run": ["tenant", "id"],
}


def upgrade() -> None:
    for table, columns in _COLUMNS.items():
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def downgrade() -> None:
    for table, columns in _COLUMNS.items():
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
