"""The tables that every module's schema has: inbox, outbox, quarantine, and remembered answers to idempotent POSTs."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
)


def kernel_tables(metadata: MetaData) -> None:
    """Add the shared tables to a module's metadata (whose `schema` is the module's)."""
    Table(
        "inbox",
        metadata,
        Column("delivery_id", Text, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    )
    Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("envelope", LargeBinary, nullable=False),
        Column("only", Text),
    )
    Table(
        "quarantine",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("quarantined_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("key", Text),
        Column("station_id", Text),
        Column("body", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("header", LargeBinary),
        Column("addressee", Text),
        Column("original", LargeBinary),
        Column("state", Text, nullable=False, server_default="waiting"),
        Column("revision", Integer, nullable=False, server_default="1"),
        Column("failure", Text),
        Column("changed_at", DateTime(timezone=True)),
        Column("changed_by", Text),
        Index("quarantine_state_idx", "state", "id"),
    )
    Table(
        "idempotency",
        metadata,
        Column("key", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("status", Integer),
        Column("location", Text),
        Column("body", LargeBinary),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True),
    )
