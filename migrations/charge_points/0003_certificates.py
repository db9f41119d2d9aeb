"""Whose certificate a station shows, where it is not named like the station."""

import sqlalchemy as sa
from alembic import op

revision = "charge_points_0003"
down_revision = "charge_points_0002"

_SCHEMA = "charge_points"


def upgrade() -> None:
    op.add_column("stations", sa.Column("certificate_common_name", sa.Text()), schema=_SCHEMA)
    op.add_column("stations", sa.Column("certificate_fingerprint", sa.Text()), schema=_SCHEMA)
