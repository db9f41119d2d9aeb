"""Transactions, reports that fit none, and meter values (their partitions are made by the module as time goes on)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from migrations.kernel import create_kernel_tables

revision = "transactions_0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "transactions"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    _create_transactions()
    _create_reports()
    _create_meter_values()


def _create_transactions() -> None:
    op.create_table(
        "transactions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger()),
        sa.Column("evse_id", sa.BigInteger()),
        sa.Column("connector_id", sa.BigInteger()),
        sa.Column("id_token", sa.Text()),
        sa.Column("folded_token", sa.Text()),
        sa.Column("token_type", sa.Text()),
        sa.Column("driver_id", sa.Text()),
        sa.Column("authorization", sa.Text()),
        sa.Column("meter_start_wh", sa.BigInteger()),
        sa.Column("meter_stop_wh", sa.BigInteger()),
        sa.Column("energy_wh", sa.BigInteger()),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("charging_state", sa.Text()),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("flags", ARRAY(sa.Text()), nullable=False),
        sa.Column("remote_start_id", sa.BigInteger()),
        sa.Column("last_sequence_number", sa.BigInteger()),
        sa.Column("start_digest", sa.Text()),
        sa.Column("stop_digest", sa.Text()),
        sa.Column("ended_revision", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text()),
        sa.UniqueConstraint("station_id", "ref", name="transactions_station_id_ref_key"),
        sa.UniqueConstraint("number", name="transactions_number_key"),
        sa.CheckConstraint("state IN ('charging', 'finished', 'failed')", name="transactions_state_check"),
        schema=_SCHEMA,
    )
    charging = sa.text("state = 'charging'")
    _index("transactions_start_digest_key", "start_digest", unique=True, where=charging)
    _index("transactions_stop_digest_idx", "stop_digest", where=sa.text("stop_digest IS NOT NULL"))
    _index("transactions_open_idx", "station_id", where=charging)
    _index("transactions_started_at_idx", "started_at", "id")
    _index("transactions_station_id_idx", "station_id", "started_at", "id")
    _index("transactions_driver_id_idx", "driver_id", "started_at", "id")
    _index("transactions_folded_token_idx", "folded_token", "started_at", "id")


def _index(name: str, *columns: str, unique: bool = False, where: sa.TextClause | None = None) -> None:
    op.create_index(name, "transactions", list(columns), schema=_SCHEMA, unique=unique, postgresql_where=where)


def _create_reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("id_token", sa.Text()),
        sa.Column("meter_stop_wh", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("flags", ARRAY(sa.Text()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.UniqueConstraint("station_id", "digest", name="reports_station_id_digest_key"),
        schema=_SCHEMA,
    )


def _create_meter_values() -> None:
    op.create_table(
        "meter_values",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text()),
        sa.Column("evse_id", sa.BigInteger()),
        sa.Column("connector_id", sa.BigInteger()),
        sa.Column("sampled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("energy_wh", sa.BigInteger()),
        sa.Column("power_w", sa.BigInteger()),
        sa.Column("state_of_charge_percent", sa.Float()),
        sa.Column("samples", sa.Text(), nullable=False),
        sa.Column("flags", ARRAY(sa.Text())),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (stored_at)",
    )
    op.create_index(
        "meter_values_station_id_ref_idx", "meter_values", ["station_id", "ref", "sampled_at"], schema=_SCHEMA
    )
