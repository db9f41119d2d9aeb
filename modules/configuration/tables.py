"""The schema `configuration`: variables and their changes, charging profiles, firmware updates."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from modules.kernel.tables import kernel_tables

metadata = MetaData(schema="configuration")
kernel_tables(metadata)


def _key_columns() -> list[Column[str] | Column[int]]:
    """What names a variable; '' and -1 stand for what is not given."""
    return [
        Column("component", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("instance", Text, nullable=False),
        Column("evse_id", Integer, nullable=False),
        Column("connector_id", Integer, nullable=False),
        Column("component_instance", Text, nullable=False),
        Column("attribute", Text, nullable=False),
    ]


variables = Table(
    "variables",
    metadata,
    Column("station_id", Text, nullable=False),
    *_key_columns(),
    Column("value", Text),
    Column("read_only", Boolean, nullable=False),
    Column("known_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint(
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
)

changes = Table(
    "changes",
    metadata,
    Column("command_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("station_id", Text, nullable=False),
    *_key_columns(),
    Column("old_value", Text),
    Column("new_value", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Text),
    Column("asked_by", Text, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("command_id", "position", name="changes_pk"),
)
Index("changes_station_idx", changes.c.station_id, changes.c.command_id, changes.c.position)

charging_profiles = Table(
    "charging_profiles",
    metadata,
    Column("station_id", Text, nullable=False),
    Column("profile_id", Integer, nullable=False),
    Column("evse_id", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("stack_level", Integer, nullable=False),
    Column("profile", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Text),
    Column("command_id", Text, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("station_id", "profile_id", name="charging_profiles_pk"),
)

firmware_updates = Table(
    "firmware_updates",
    metadata,
    Column("update_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("request_id", BigInteger, nullable=False),
    Column("location", Text, nullable=False),
    Column("retrieve_at", DateTime(timezone=True), nullable=False),
    Column("install_at", DateTime(timezone=True)),
    Column("retries", Integer),
    Column("retry_interval_s", Integer),
    Column("signed", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("status", Text),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("command_id", Text),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("update_id", name="firmware_updates_pk"),
    UniqueConstraint("station_id", "request_id", name="firmware_updates_request_uq"),
)
Index("firmware_updates_station_idx", firmware_updates.c.station_id, firmware_updates.c.update_id)
