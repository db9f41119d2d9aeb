"""What is set aside can be corrected, tried again and discarded; who did so stays known."""

import sqlalchemy as sa
from alembic import context, op

revision = "shared_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    schema = context.config.attributes["schema"]
    for column in (
        sa.Column("header", sa.LargeBinary()),
        sa.Column("addressee", sa.Text()),
        sa.Column("original", sa.LargeBinary()),
        sa.Column("state", sa.Text(), nullable=False, server_default="waiting"),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("failure", sa.Text()),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.Column("changed_by", sa.Text()),
    ):
        op.add_column("quarantine", column, schema=schema)
    op.create_index("quarantine_state_idx", "quarantine", ["state", "id"], schema=schema)
