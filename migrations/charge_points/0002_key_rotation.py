"""Passwords that are being replaced, profiles that are being raised."""

import sqlalchemy as sa
from alembic import op

revision = "charge_points_0002"
down_revision = "charge_points_0001"

_SCHEMA = "charge_points"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "stations",
        sa.Column("access_revision", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        schema=_SCHEMA,
    )
    op.add_column("stations", sa.Column("pending_profile", sa.SmallInteger()), schema=_SCHEMA)
    op.add_column("stations", sa.Column("pending_profile_revision", sa.BigInteger()), schema=_SCHEMA)
    op.create_table(
        "credential_rotations",
        sa.Column("rotation_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), comment="Until the rotation has ended."),
        sa.Column(
            "unconfirmed_revision",
            sa.BigInteger(),
            comment="From which access revision a login with another password tells that this one was not taken.",
        ),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("rotation_id", name="credential_rotations_pk"),
        sa.ForeignKeyConstraint(
            ["station_id"],
            [f"{_SCHEMA}.stations.station_id"],
            ondelete="CASCADE",
            name="credential_rotations_station_fk",
        ),
        schema=_SCHEMA,
    )
    op.create_index(
        "credential_rotations_station_idx", "credential_rotations", ["station_id", "rotation_id"], schema=_SCHEMA
    )
