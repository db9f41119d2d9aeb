"""The tables of the schema `authz`."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint

from modules.kernel.tables import kernel_tables

metadata = MetaData(schema="authz")
kernel_tables(metadata)

id_tokens = Table(
    "id_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("permission", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("group", Text),
    Column("driver_id", Text),
    Column("label", Text),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("folded", name="id_tokens_folded_key"),
    CheckConstraint("permission IN ('accepted', 'blocked')", name="id_tokens_permission_check"),
    Index("id_tokens_driver_id_idx", "driver_id"),
)
