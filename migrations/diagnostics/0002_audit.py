"""The audit trail. Rows are added and never changed; they go with their partition alone."""

import sqlalchemy as sa
from alembic import op

revision = "diagnostics_0002"
down_revision = "diagnostics_0001"

_SCHEMA = "diagnostics"
_TABLE = "audit_records"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("trace", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text()),
        sa.Column("role", sa.Text()),
        sa.Column("api_key_id", sa.Text()),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("code", sa.Text()),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (stored_at)",
    )
    op.create_index("ix_audit_records_request_id", _TABLE, ["request_id"], schema=_SCHEMA)
    op.create_index("ix_audit_records_user_id", _TABLE, ["user_id", "request_id"], schema=_SCHEMA)
    _refuse_changes()


def _refuse_changes() -> None:
    """Rows of partitions are covered too, also of those that are made later: PostgreSQL clones triggers on rows."""
    op.execute(
        "CREATE FUNCTION diagnostics.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'audit records are never changed' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute(
        "CREATE TRIGGER refuse_audit_change BEFORE UPDATE OR DELETE ON diagnostics.audit_records "
        "FOR EACH ROW EXECUTE FUNCTION diagnostics.refuse_audit_change()"
    )
    op.execute(
        "CREATE TRIGGER refuse_audit_truncate BEFORE TRUNCATE ON diagnostics.audit_records "
        "FOR EACH STATEMENT EXECUTE FUNCTION diagnostics.refuse_audit_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON diagnostics.audit_records FROM PUBLIC, CURRENT_USER")
