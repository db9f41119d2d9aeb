"""People, their sessions and API keys, and the keys that sign access tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.kernel import create_kernel_tables

revision = "users_0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "users"
_ROLES = "role IN ('admin', 'operator', 'viewer', 'driver')"


def upgrade() -> None:
    create_kernel_tables(_SCHEMA)
    _create_users()
    _create_sessions()
    _create_api_keys()
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("public", postgresql.JSONB(), nullable=False),
        sa.Column("private", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        schema=_SCHEMA,
    )


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("folded_email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("folded_email", name="users_folded_email_key"),
        sa.CheckConstraint(_ROLES, name="users_role_check"),
        schema=_SCHEMA,
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), primary_key=True),
        _of("user_id", "users.users.id", "sessions_user_id_fkey"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        schema=_SCHEMA,
    )
    op.create_index("sessions_user_id_idx", "sessions", ["user_id"], schema=_SCHEMA)
    op.create_index("sessions_expires_at_idx", "sessions", ["expires_at"], schema=_SCHEMA)
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.Text(), primary_key=True),
        _of("session_id", "users.sessions.id", "refresh_tokens_session_id_fkey"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        schema=_SCHEMA,
    )
    op.create_index("refresh_tokens_session_id_idx", "refresh_tokens", ["session_id"], schema=_SCHEMA)
    op.create_index("refresh_tokens_expires_at_idx", "refresh_tokens", ["expires_at"], schema=_SCHEMA)


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), primary_key=True),
        _of("user_id", "users.users.id", "api_keys_user_id_fkey"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text())),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("hash", name="api_keys_hash_key"),
        sa.CheckConstraint(_ROLES, name="api_keys_role_check"),
        schema=_SCHEMA,
    )
    op.create_index("api_keys_user_id_idx", "api_keys", ["user_id"], schema=_SCHEMA)


def _of(column: str, target: str, constraint: str) -> "sa.Column[str]":
    return sa.Column(column, sa.Text(), sa.ForeignKey(target, name=constraint, ondelete="CASCADE"), nullable=False)
