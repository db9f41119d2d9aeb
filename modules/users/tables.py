"""The tables of the schema `users`. Of passwords, refresh tokens and API keys only hashes are stored."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from modules.kernel.tables import kernel_tables

metadata = MetaData(schema="users")
kernel_tables(metadata)


def _of_user(constraint: str) -> Column[str]:
    return Column("user_id", Text, ForeignKey("users.users.id", name=constraint, ondelete="CASCADE"), nullable=False)


users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("folded_email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("folded_email", name="users_folded_email_key"),
    CheckConstraint("role IN ('admin', 'operator', 'viewer', 'driver')", name="users_role_check"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    _of_user("sessions_user_id_fkey"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sessions_user_id_idx", "user_id"),
    Index("sessions_expires_at_idx", "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", Text, primary_key=True),
    Column(
        "session_id",
        Text,
        ForeignKey("users.sessions.id", name="refresh_tokens_session_id_fkey", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Index("refresh_tokens_session_id_idx", "session_id"),
    Index("refresh_tokens_expires_at_idx", "expires_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _of_user("api_keys_user_id_fkey"),
    Column("name", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", ARRAY(Text)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
    UniqueConstraint("hash", name="api_keys_hash_key"),
    CheckConstraint("role IN ('admin', 'operator', 'viewer', 'driver')", name="api_keys_role_check"),
    Index("api_keys_user_id_idx", "user_id"),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("public", JSONB, nullable=False),
    Column("private", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("place", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Index("sign_in_failures_first_at_idx", "first_at"),
)

known_sources = Table(
    "known_sources",
    metadata,
    Column("place", Text, primary_key=True),
    Column("last_at", DateTime(timezone=True), nullable=False),
    Index("known_sources_last_at_idx", "last_at"),
)
