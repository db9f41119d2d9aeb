"""The schema `charge_points`: stations and how they prove it, connectors, connections, pods, commands."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from modules.kernel.tables import kernel_tables

metadata = MetaData(schema="charge_points")
kernel_tables(metadata)

stations = Table(
    "stations",
    metadata,
    Column("station_id", Text, nullable=False),
    Column("friendly_name", Text),
    Column("address", Text),
    Column("latitude", Numeric(8, 6)),
    Column("longitude", Numeric(9, 6)),
    Column("registration", Text, nullable=False),
    Column("security_profile", SmallInteger, nullable=False),
    Column("password_salt", Text),
    Column("password_hash", Text),
    Column("certificate_common_name", Text),
    Column("certificate_fingerprint", Text),
    Column("time_zone", Text),
    Column("self_registered", Boolean, nullable=False, server_default=false()),
    Column("vendor", Text),
    Column("model", Text),
    Column("serial_number", Text),
    Column("firmware_version", Text),
    Column("iccid", Text),
    Column("imsi", Text),
    Column("meter_type", Text),
    Column("meter_serial_number", Text),
    Column("boot_reason", Text),
    Column("ocpp_version", Text),
    Column("last_booted_at", DateTime(timezone=True)),
    Column("boot_told_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("revision", BigInteger, nullable=False, server_default=text("1")),
    Column("access_revision", BigInteger, nullable=False, server_default=text("0")),
    Column("pending_profile", SmallInteger),
    Column("pending_profile_revision", BigInteger),
    PrimaryKeyConstraint("station_id", name="stations_pk"),
)

credential_rotations = Table(
    "credential_rotations",
    metadata,
    Column("rotation_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("command_id", Text, nullable=False),
    Column("salt", Text, nullable=False),
    Column("password_hash", Text, comment="Until the rotation has ended."),
    Column(
        "unconfirmed_revision",
        BigInteger,
        comment="From which access revision a login with another password tells that this one was not taken.",
    ),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("rotation_id", name="credential_rotations_pk"),
    ForeignKeyConstraint(
        ["station_id"],
        ["charge_points.stations.station_id"],
        ondelete="CASCADE",
        name="credential_rotations_station_fk",
    ),
)
Index("credential_rotations_station_idx", credential_rotations.c.station_id, credential_rotations.c.rotation_id)

certificate_signings = Table(
    "certificate_signings",
    metadata,
    Column("signing_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("csr", Text, nullable=False),
    Column("request_id", BigInteger, comment="The station's own number of it (OCPP 2.1)."),
    Column("common_name", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("certificate_chain", Text),
    Column("fingerprint", Text),
    Column("command_id", Text),
    Column("ended_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("signing_id", name="certificate_signings_pk"),
    ForeignKeyConstraint(
        ["station_id"],
        ["charge_points.stations.station_id"],
        ondelete="CASCADE",
        name="certificate_signings_station_fk",
    ),
)
Index("certificate_signings_station_idx", certificate_signings.c.station_id, certificate_signings.c.signing_id)
Index("certificate_signings_command_idx", certificate_signings.c.command_id)

connections = Table(
    "connections",
    metadata,
    Column("station_id", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False, comment="The highest that was opened."),
    Column("ended_epoch", BigInteger, nullable=False, comment="The highest that has ended, with all below it."),
    Column("silent", Boolean, nullable=False, server_default=false(), comment="The pod is not heard from."),
    Column("pod_id", Text),
    Column("ocpp_version", Text),
    Column("security_profile", SmallInteger),
    Column("remote_address", Text),
    Column("first_connected_at", DateTime(timezone=True)),
    Column("connected_at", DateTime(timezone=True)),
    Column("last_seen_at", DateTime(timezone=True)),
    Column("disconnected_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("station_id", name="connections_pk"),
    ForeignKeyConstraint(
        ["station_id"], ["charge_points.stations.station_id"], ondelete="CASCADE", name="connections_station_fk"
    ),
)
Index("connections_pod_idx", connections.c.pod_id)

pods = Table(
    "pods",
    metadata,
    Column("pod_id", Text, nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False, comment="Our clock, not the pod's."),
    PrimaryKeyConstraint("pod_id", name="pods_pk"),
)

connectors = Table(
    "connectors",
    metadata,
    Column("station_id", Text, nullable=False),
    Column("evse_id", Integer, nullable=False, comment="0 where OCPP 1.6 names none."),
    Column("connector_id", Integer, nullable=False),
    PrimaryKeyConstraint("station_id", "evse_id", "connector_id", name="connectors_pk"),
    ForeignKeyConstraint(
        ["station_id"], ["charge_points.stations.station_id"], ondelete="CASCADE", name="connectors_station_fk"
    ),
)

commands = Table(
    "commands",
    metadata,
    Column("command_id", Text, nullable=False),
    Column("station_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("command", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("deadline_at", DateTime(timezone=True), nullable=False),
    Column("sent_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    Column("status", Text),
    Column("payload", JSONB(none_as_null=True)),
    Column("variables", JSONB(none_as_null=True)),
    Column("error_code", Text),
    Column("error_description", Text),
    Column("effect_kind", Text),
    Column("effect_transaction_id", Text),
    Column("effect_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("command_id", name="commands_pk"),
    UniqueConstraint("station_id", "idempotency_key", name="commands_idempotency_uq"),
    ForeignKeyConstraint(
        ["station_id"], ["charge_points.stations.station_id"], ondelete="CASCADE", name="commands_station_fk"
    ),
)
Index("commands_station_idx", commands.c.station_id, commands.c.command_id)
Index(
    "commands_open_idx",
    commands.c.deadline_at,
    postgresql_where=commands.c.state.in_(("queued", "sent")),
)
