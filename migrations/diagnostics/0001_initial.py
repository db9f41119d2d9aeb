"""The event store, the frame log, statuses, replays and requests for logs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import CreateSequence

from migrations.kernel import create_kernel_tables

revision = "diagnostics_0001"
down_revision = None

_SCHEMA = "diagnostics"
_NOW = sa.text("now()")
_TAG = 0x5354  # marks the keys of our advisory locks, which are 16 bits of this and 48 of a number
_LAST_NUMBER = "CASE WHEN is_called THEN last_value ELSE 0 END"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    op.execute(CreateSequence(sa.Sequence("event_offsets", schema=_SCHEMA)))
    op.execute(CreateSequence(sa.Sequence("frame_numbers", schema=_SCHEMA, cache=100)))
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
    op.create_index("ix_events_offset", "events", ["offset"], schema=_SCHEMA)
    op.create_index(
        "ix_events_station_id",
        "events",
        ["station_id", "offset"],
        schema=_SCHEMA,
        postgresql_where=sa.text("station_id IS NOT NULL"),
    )
    op.create_index(
        "ix_events_key",
        "events",
        ["key", "offset"],
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
    _announce_events()
    _tell_bounds()


def _announce_events() -> None:
    """Before a statement stores events, it says so: to readers now by a lock, and to followers at its commit.

    The lock is shared, so that nobody waits. Its key holds the last number that was given to an event before: what the
    statement stores has higher ones. A trigger does this, since it costs no round trip.
    """
    op.execute(
        "CREATE FUNCTION diagnostics.announce_events() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"PERFORM pg_advisory_xact_lock_shared(({_TAG}::bigint << 48) | {_LAST_NUMBER}) "
        "FROM diagnostics.event_offsets; "
        "PERFORM pg_notify('diagnostics_events', ''); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER announce_events BEFORE INSERT ON diagnostics.events "
        "FOR EACH STATEMENT EXECUTE FUNCTION diagnostics.announce_events()"
    )


def _tell_bounds() -> None:
    """`given` is the last number of an event; up to `settled`, no transaction that is under way will add one.

    Events are to be read by a later statement: then all up to `settled` that will ever be there are seen. For whoever
    has a number up to `given` took the lock before; so it either holds it still, or has ended before we read.
    """
    op.execute(
        "CREATE FUNCTION diagnostics.event_bounds(OUT given bigint, OUT settled bigint) LANGUAGE plpgsql AS $$ "
        f"BEGIN SELECT {_LAST_NUMBER} INTO given FROM diagnostics.event_offsets; "
        "SELECT least(given, min(((classid::bigint & 65535) << 32) | objid::bigint)) INTO settled FROM pg_locks "
        f"WHERE locktype = 'advisory' AND objsubid = 1 AND (classid::bigint >> 16) = {_TAG} "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()); END $$"
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
        sa.Column("offset", sa.BigInteger(), nullable=False),
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
        sa.Column("after", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("last", sa.BigInteger(), nullable=False),
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
