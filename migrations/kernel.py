"""The tables that every module's schema begins with, as its first migration makes them."""

import sqlalchemy as sa
from alembic import op


def create_kernel_tables(schema: str) -> None:
    """Inbox, outbox, quarantine and idempotency, revision 1 of each module."""
    now = sa.text("now()")
    op.create_table(
        "inbox",
        sa.Column("delivery_id", sa.Text(), primary_key=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=now, index=True),
        schema=schema,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("only", sa.Text()),
        schema=schema,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=False, server_default=now),
        sa.Column("key", sa.Text()),
        sa.Column("station_id", sa.Text()),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        schema=schema,
    )
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("location", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now, index=True),
        schema=schema,
    )
