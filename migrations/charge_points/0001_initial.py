"""Stations, connectors, connections, pods, commands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.kernel import create_kernel_tables

revision = "charge_points_0001"
down_revision = None

_SCHEMA = "charge_points"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    _create_stations()
    _create_connections()
    _create_connectors()
    _create_commands()


def _create_stations() -> None:
    op.create_table(
        "stations",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("friendly_name", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("latitude", sa.Numeric(8, 6)),
        sa.Column("longitude", sa.Numeric(9, 6)),
        sa.Column("registration", sa.Text(), nullable=False),
        sa.Column("security_profile", sa.SmallInteger(), nullable=False),
        sa.Column("password_salt", sa.Text()),
        sa.Column("password_hash", sa.Text()),
        sa.Column("self_registered", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("vendor", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("serial_number", sa.Text()),
        sa.Column("firmware_version", sa.Text()),
        sa.Column("iccid", sa.Text()),
        sa.Column("imsi", sa.Text()),
        sa.Column("meter_type", sa.Text()),
        sa.Column("meter_serial_number", sa.Text()),
        sa.Column("boot_reason", sa.Text()),
        sa.Column("ocpp_version", sa.Text()),
        sa.Column("last_booted_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False, server_default=sa.text("1")),
        sa.PrimaryKeyConstraint("station_id", name="stations_pk"),
        schema=_SCHEMA,
    )


def _create_connections() -> None:
    op.create_table(
        "connections",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="The highest that was opened."),
        sa.Column(
            "ended_epoch", sa.BigInteger(), nullable=False, comment="The highest that has ended, with all below it."
        ),
        sa.Column(
            "silent", sa.Boolean(), nullable=False, server_default=sa.false(), comment="The pod is not heard from."
        ),
        sa.Column("pod_id", sa.Text()),
        sa.Column("ocpp_version", sa.Text()),
        sa.Column("security_profile", sa.SmallInteger()),
        sa.Column("remote_address", sa.Text()),
        sa.Column("first_connected_at", _TIME),
        sa.Column("connected_at", _TIME),
        sa.Column("last_seen_at", _TIME),
        sa.Column("disconnected_at", _TIME),
        sa.PrimaryKeyConstraint("station_id", name="connections_pk"),
        _of_station("connections_station_fk"),
        schema=_SCHEMA,
    )
    op.create_index("connections_pod_idx", "connections", ["pod_id"], schema=_SCHEMA)
    op.create_table(
        "pods",
        sa.Column("pod_id", sa.Text(), nullable=False),
        sa.Column("heard_at", _TIME, nullable=False, comment="Our clock, not the pod's."),
        sa.PrimaryKeyConstraint("pod_id", name="pods_pk"),
        schema=_SCHEMA,
    )


def _create_connectors() -> None:
    op.create_table(
        "connectors",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False, comment="0 where OCPP 1.6 names none."),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "evse_id", "connector_id", name="connectors_pk"),
        _of_station("connectors_station_fk"),
        schema=_SCHEMA,
    )


def _create_commands() -> None:
    op.create_table(
        "commands",
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("command", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text()),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("deadline_at", _TIME, nullable=False),
        sa.Column("sent_at", _TIME),
        sa.Column("completed_at", _TIME),
        sa.Column("status", sa.Text()),
        sa.Column("payload", JSONB()),
        sa.Column("variables", JSONB()),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_description", sa.Text()),
        sa.Column("effect_kind", sa.Text()),
        sa.Column("effect_transaction_id", sa.Text()),
        sa.Column("effect_at", _TIME),
        sa.PrimaryKeyConstraint("command_id", name="commands_pk"),
        sa.UniqueConstraint("station_id", "idempotency_key", name="commands_idempotency_uq"),
        _of_station("commands_station_fk"),
        schema=_SCHEMA,
    )
    op.create_index("commands_station_idx", "commands", ["station_id", "command_id"], schema=_SCHEMA)
    op.create_index(
        "commands_open_idx",
        "commands",
        ["deadline_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("state IN ('queued', 'sent')"),
    )


def _of_station(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["station_id"], [f"{_SCHEMA}.stations.station_id"], ondelete="CASCADE", name=name)
