"""Id tokens."""

import sqlalchemy as sa
from alembic import op

from migrations.kernel import create_kernel_tables

revision = "authorization_0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "authz"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    op.create_table(
        "id_tokens",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("group", sa.Text()),
        sa.Column("driver_id", sa.Text()),
        sa.Column("label", sa.Text()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("folded", name="id_tokens_folded_key"),
        sa.CheckConstraint("permission IN ('accepted', 'blocked')", name="id_tokens_permission_check"),
        schema=_SCHEMA,
    )
    op.create_index("id_tokens_driver_id_idx", "id_tokens", ["driver_id"], schema=_SCHEMA)
