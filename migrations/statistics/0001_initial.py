"""Sessions."""

import sqlalchemy as sa
from alembic import op

from migrations.kernel import create_kernel_tables

revision = "statistics_0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "statistics"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    op.create_table(
        "sessions",
        sa.Column("transaction_id", sa.Text(), primary_key=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("id_token", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("sessions_day_idx", "sessions", ["day"], schema=_SCHEMA)
    op.create_index("sessions_station_id_idx", "sessions", ["station_id", "day"], schema=_SCHEMA)
    op.create_index("sessions_id_token_idx", "sessions", ["id_token", "day"], schema=_SCHEMA)
