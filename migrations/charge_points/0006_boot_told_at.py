"""When it was last told that a station booted, so that one that does nothing else is not told each time."""

import sqlalchemy as sa
from alembic import op

revision = "charge_points_0006"
down_revision = "charge_points_0005"


def upgrade() -> None:
    op.add_column("stations", sa.Column("boot_told_at", sa.DateTime(timezone=True)), schema="charge_points")
