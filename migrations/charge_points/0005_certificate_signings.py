"""Certificates that stations ask for."""

import sqlalchemy as sa
from alembic import op

revision = "charge_points_0005"
down_revision = "charge_points_0004"

_SCHEMA = "charge_points"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "certificate_signings",
        sa.Column("signing_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), comment="The station's own number of it (OCPP 2.1)."),
        sa.Column("common_name", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("certificate_chain", sa.Text()),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("command_id", sa.Text()),
        sa.Column("ended_at", _TIME),
        sa.PrimaryKeyConstraint("signing_id", name="certificate_signings_pk"),
        sa.ForeignKeyConstraint(
            ["station_id"],
            [f"{_SCHEMA}.stations.station_id"],
            ondelete="CASCADE",
            name="certificate_signings_station_fk",
        ),
        schema=_SCHEMA,
    )
    op.create_index(
        "certificate_signings_station_idx", "certificate_signings", ["station_id", "signing_id"], schema=_SCHEMA
    )
    op.create_index("certificate_signings_command_idx", "certificate_signings", ["command_id"], schema=_SCHEMA)
