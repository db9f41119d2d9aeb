"""What a station means by a time that names no zone."""

import sqlalchemy as sa
from alembic import op

revision = "charge_points_0004"
down_revision = "charge_points_0003"


def upgrade() -> None:
    op.add_column("stations", sa.Column("time_zone", sa.Text()), schema="charge_points")
