"""The event store, the frame log, statuses, replays and requests for logs."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import CreateSequence
from sqlalchemy.types import UserDefinedType

from migrations.kernel import create_kernel_tables

revision = "diagnostics_0001"
down_revision = None

_SCHEMA = "diagnostics"
_NOW = sa.text("now()")


class Xid8(UserDefinedType[int]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    for name in ("event_offsets", "frame_numbers"):
        op.execute(CreateSequence(sa.Sequence(name, schema=_SCHEMA, cache=100)))
    op.execute(CreateSequence(sa.Sequence("log_numbers", schema=_SCHEMA, data_type=sa.Integer(), cycle=True)))
    _create_events()
    _create_frames()
    _create_statuses()
    _create_replays()
    _create_logs()


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("xid", Xid8(), nullable=False, server_default=sa.text("pg_current_xact_id()")),
        sa.Column("offset", sa.BigInteger(), nullable=False, server_default=_next("event_offsets")),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("station_id", sa.Text()),
        sa.Column("cause", sa.Text()),
        sa.Column("trace", sa.Text()),
        sa.Column("payload", sa.Text(), nullable=False),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (stored_at)",
    )
    op.create_index("ix_events_position", "events", ["xid", "offset"], schema=_SCHEMA)
    op.create_index(
        "ix_events_station_id",
        "events",
        ["station_id", "xid", "offset"],
        schema=_SCHEMA,
        postgresql_where=sa.text("station_id IS NOT NULL"),
    )
    op.create_index(
        "ix_events_key",
        "events",
        ["key", "xid", "offset"],
        schema=_SCHEMA,
        postgresql_where=sa.text("key <> 'stations.meters_sampled.v1'"),
    )
    op.create_index(
        "ix_events_stored_at",
        "events",
        ["stored_at"],
        schema=_SCHEMA,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    _notify_of_events()


def _notify_of_events() -> None:
    """Those who follow the events are woken by the commit that stored some; a trigger spares a round trip."""
    op.execute(
        "CREATE FUNCTION diagnostics.notify_of_events() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_notify('diagnostics_events', ''); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER notify_of_events AFTER INSERT ON diagnostics.events "
        "FOR EACH STATEMENT EXECUTE FUNCTION diagnostics.notify_of_events()"
    )


def _create_frames() -> None:
    op.create_table(
        "frames",
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, server_default=_next("frame_numbers")),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (stored_at)",
    )
    op.create_index("ix_frames_station_id", "frames", ["station_id", "at", "number"], schema=_SCHEMA)


def _create_statuses() -> None:
    op.create_table(
        "statuses",
        sa.Column("station_id", sa.Text(collation="C"), primary_key=True),
        sa.Column("item", sa.Text(collation="C"), primary_key=True),
        sa.Column("state", sa.Text()),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("ix_statuses_state", "statuses", ["state", "station_id", "item"], schema=_SCHEMA)
    op.create_table(
        "watermarks",
        sa.Column("projector", sa.Text(), primary_key=True),
        sa.Column("xid", Xid8(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        schema=_SCHEMA,
    )


def _create_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_module", sa.Text(), nullable=False),
        sa.Column("keys", ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True)),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("after_xid", Xid8(), nullable=False, server_default="0"),
        sa.Column("after_offset", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("before_xid", Xid8(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        schema=_SCHEMA,
    )
    op.create_index(
        "ix_replays_open",
        "replays",
        ["requested_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _create_logs() -> None:
    op.create_table(
        "logs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("station_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True)),
        sa.Column("latest_at", sa.DateTime(timezone=True)),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("command_id", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.Column("status", sa.Text()),
        sa.Column("status_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("station_id", "request_id", name="uq_logs_request_id"),
        schema=_SCHEMA,
    )
    op.create_index("ix_logs_station_id", "logs", ["station_id", "requested_at", "id"], schema=_SCHEMA)


def _next(sequence: str) -> sa.TextClause:
    return sa.text(f"nextval('{_SCHEMA}.{sequence}')")
