"""The first tables: samples, incidents, analyses, queues and dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _samples()
    _incidents()
    _analyses()
    _queues()


def downgrade() -> None:
    for name in (
        "dead_letter job queued_batch method analysis diagnosis incident_service incident"
        " chunk series"
    ).split():
        op.drop_table(name)


def _counted() -> sa.Column[int]:
    return sa.Column("id", _BIG_KEY, autoincrement=True, nullable=False)


def _tenant() -> sa.Column[str]:
    return sa.Column("tenant", sa.String(128), nullable=False)


def _samples() -> None:
    op.create_table(
        "series",
        _counted(),
        _tenant(),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("metric", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("tenant", "digest", name="uq_series_tenant_digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "chunk",
        _counted(),
        _tenant(),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("start_us", sa.BigInteger, nullable=False),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_chunk"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_chunk_tenant_end_us", "chunk", ["tenant", "end_us"])
    op.create_index("ix_chunk_tenant_level", "chunk", ["tenant", "level"])


def _incidents() -> None:
    op.create_table(
        "incident",
        _tenant(),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("opened_unix", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_incident"),
        sa.UniqueConstraint("tenant", "number", name="uq_incident_tenant_number"),
    )
    op.create_index(
        "ix_incident_tenant_opened_unix_number", "incident", ["tenant", "opened_unix", "number"]
    )
    op.create_table(
        "incident_service",
        _tenant(),
        sa.Column("service", sa.String(512), nullable=False),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "service", "incident_id", name="pk_incident_service"),
    )
    op.create_table(
        "diagnosis",
        _tenant(),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("failure", sa.Text),
        sa.PrimaryKeyConstraint("tenant", "incident_id", name="pk_diagnosis"),
    )


def _analyses() -> None:
    op.create_table(
        "analysis",
        _tenant(),
        sa.Column("incident_id", sa.String(128), nullable=False),
        sa.Column("method", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "incident_id", "method", "digest", name="pk_analysis"),
    )
    op.create_table(
        "method",
        _tenant(),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name="pk_method"),
    )


def _queues() -> None:
    op.create_table(
        "queued_batch",
        _counted(),
        _tenant(),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_queued_batch"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "job",
        _counted(),
        _tenant(),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("waiting_key", sa.String(64)),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("set_unix", sa.Double, nullable=False),
        sa.Column("run_after_unix", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("waiting_key", name="uq_job_waiting_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_run_after_unix_id", "job", ["run_after_unix", "id"])
    op.create_table(
        "dead_letter",
        _counted(),
        _tenant(),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("dead_unix", sa.Double, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letter"),
        sqlite_autoincrement=True,
    )
