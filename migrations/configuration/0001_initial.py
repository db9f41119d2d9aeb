"""Variables and their changes, charging profiles, firmware updates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.kernel import create_kernel_tables

revision = "configuration_0001"
down_revision = None

_SCHEMA = "configuration"
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    _create_variables()
    _create_changes()
    _create_charging_profiles()
    _create_firmware_updates()


def _create_variables() -> None:
    op.create_table(
        "variables",
        sa.Column("station_id", sa.Text(), nullable=False),
        *_key_columns(),
        sa.Column("value", sa.Text()),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        sa.Column("known_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "station_id",
            "component",
            "name",
            "instance",
            "evse_id",
            "connector_id",
            "component_instance",
            "attribute",
            name="variables_pk",
        ),
        schema=_SCHEMA,
    )


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        *_key_columns(),
        sa.Column("old_value", sa.Text()),
        sa.Column("new_value", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("answered_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("command_id", "position", name="changes_pk"),
        schema=_SCHEMA,
    )
    op.create_index("changes_station_idx", "changes", ["station_id", "command_id", "position"], schema=_SCHEMA)


def _create_charging_profiles() -> None:
    op.create_table(
        "charging_profiles",
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("stack_level", sa.Integer(), nullable=False),
        sa.Column("profile", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("station_id", "profile_id", name="charging_profiles_pk"),
        schema=_SCHEMA,
    )


def _create_firmware_updates() -> None:
    op.create_table(
        "firmware_updates",
        sa.Column("update_id", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.BigInteger(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("retrieve_at", _TIME, nullable=False),
        sa.Column("install_at", _TIME),
        sa.Column("retries", sa.Integer()),
        sa.Column("retry_interval_s", sa.Integer()),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Text()),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", _TIME, nullable=False),
        sa.Column("command_id", sa.Text()),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("update_id", name="firmware_updates_pk"),
        sa.UniqueConstraint("station_id", "request_id", name="firmware_updates_request_uq"),
        schema=_SCHEMA,
    )
    op.create_index("firmware_updates_station_idx", "firmware_updates", ["station_id", "update_id"], schema=_SCHEMA)


def _key_columns() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("component_instance", sa.Text(), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
    ]
