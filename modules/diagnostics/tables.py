"""The tables of the schema `diagnostics`. Events and frames are partitioned by the time they were stored.

Indexes of `events` are what storing an event costs most: of 14 µs in PostgreSQL, 6 are theirs.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from modules.kernel.tables import kernel_tables
from shared_contracts.stations import MetersSampled

metadata = MetaData(schema="diagnostics")
kernel_tables(metadata)

event_offsets = Sequence("event_offsets", metadata=metadata)  # no cache: a number is to be younger than its lock
frame_numbers = Sequence("frame_numbers", metadata=metadata, cache=100)

events = Table(
    "events",
    metadata,
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("offset", BigInteger, nullable=False, server_default=event_offsets.next_value()),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("id", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("station_id", Text),
    Column("cause", Text),
    Column("trace", Text),
    Column("payload", Text, nullable=False),
    Index("ix_events_offset", "offset"),
    Index("ix_events_station_id", "station_id", "offset", postgresql_where=text("station_id IS NOT NULL")),
    # Meter samples are nearly all there is: finding them takes no index of their own, finding the rest does.
    Index("ix_events_key", "key", "offset", postgresql_where=text(f"key <> '{MetersSampled.key}'")),
    Index("ix_events_stored_at", "stored_at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
    postgresql_partition_by="RANGE (stored_at)",
)

frames = Table(
    "frames",
    metadata,
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("number", BigInteger, nullable=False, server_default=frame_numbers.next_value()),
    Column("station_id", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_frames_station_id", "station_id", "at", "number"),
    postgresql_partition_by="RANGE (stored_at)",
)

audit_records = Table(
    "audit_records",
    metadata,
    Column("stored_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("request_id", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("method", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("user_id", Text),
    Column("role", Text),
    Column("api_key_id", Text),
    Column("parameters", Text, nullable=False),
    Column("status", Integer),
    Column("code", Text),
    Column("count", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True)),
    Index("ix_audit_records_request_id", "request_id"),
    Index("ix_audit_records_user_id", "user_id", "request_id"),
    postgresql_partition_by="RANGE (stored_at)",
)
"""A trigger refuses every change; rows go with their partition alone."""

statuses = Table(
    "statuses",
    metadata,
    Column("station_id", Text(collation="C"), primary_key=True),
    Column("item", Text(collation="C"), primary_key=True),
    Column("state", Text),
    Column("observed_at", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
    Index("ix_statuses_state", "state", "station_id", "item"),
)

watermarks = Table(
    "watermarks",
    metadata,
    Column("projector", Text, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

replays = Table(
    "replays",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("to_module", Text, nullable=False),
    Column("keys", ARRAY(Text), nullable=False),
    Column("since", DateTime(timezone=True)),
    Column("until", DateTime(timezone=True)),
    Column("events", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False, server_default="0"),
    Column("after", BigInteger, nullable=False, server_default="0"),
    Column("last", BigInteger, nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Index("ix_replays_open", "requested_at", postgresql_where=text("finished_at IS NULL")),
)

log_numbers = Sequence("log_numbers", metadata=metadata, data_type=Integer, cycle=True)

logs = Table(
    "logs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("station_id", Text, nullable=False),
    Column("request_id", Integer, nullable=False),
    Column("log", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("oldest_at", DateTime(timezone=True)),
    Column("latest_at", DateTime(timezone=True)),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("command_id", Text),
    Column("outcome", Text),
    Column("status", Text),
    Column("status_at", DateTime(timezone=True)),
    UniqueConstraint("station_id", "request_id", name="uq_logs_request_id"),
    Index("ix_logs_station_id", "station_id", "requested_at", "id"),
)
