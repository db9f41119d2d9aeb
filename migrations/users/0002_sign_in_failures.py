"""Failed attempts to sign in, counted for all processes, and the addresses from which people did sign in."""

import sqlalchemy as sa
from alembic import op

revision = "users_0002"
down_revision = "users_0001"
branch_labels = None
depends_on = None

_SCHEMA = "users"


def upgrade() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("place", sa.Text(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("sign_in_failures_first_at_idx", "sign_in_failures", ["first_at"], schema=_SCHEMA)
    op.create_table(
        "known_sources",
        sa.Column("place", sa.Text(), primary_key=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("known_sources_last_at_idx", "known_sources", ["last_at"], schema=_SCHEMA)
