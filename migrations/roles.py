"""A role per module: it does in its schema what the service does, and sees nothing of another's."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.runner import MODULES

_ITERATIONS = 4096
_ROWS = "SELECT, INSERT, UPDATE, DELETE"

_TABLES = text(
    """
    SELECT c.relname AS name, c.relkind = 'p' OR c.relispartition AS by_weeks, r.rolname AS owner
    FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')
    """
)


def owner_at(owner: str, module: str) -> str:
    """The owner's URL at the place of a module's: they may have a server each, and the owner one password."""
    who = make_url(owner)
    return make_url(module).set(username=who.username, password=who.password).render_as_string(hide_password=False)


async def grant(owner: str, *, modules: Mapping[str, str]) -> None:
    """Make the roles that the modules' URLs name, with the URLs' passwords, and give each its rights; or again.

    The owner, who migrated, keeps the tables. Those by weeks become the role's, which makes and drops partitions.
    """
    for module, url in modules.items():
        engine = create_async_engine(owner_at(owner, url), poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                await connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
                await _grant_one(connection, make_url(url), MODULES[module])
        finally:
            await engine.dispose()


async def _grant_one(connection: AsyncConnection, url: URL, schema: str) -> None:
    role, within = _quoted(url.username or ""), _quoted(schema)
    database = _quoted(str((await connection.execute(text("SELECT current_database()"))).scalar_one()))
    await _make(connection, url.username or "", url.password or "")
    for statement in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON SCHEMA {within} FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA {within} TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {within} TO {role}",
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {within} FROM PUBLIC",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {within} TO {role}",
    ):
        await connection.exec_driver_sql(statement)
    await _grant_tables(connection, url.username or "", schema)


async def _grant_tables(connection: AsyncConnection, role: str, schema: str) -> None:
    """Who attaches and drops partitions must own the table, and make others in the schema. The rest has no DDL."""
    tables = (await connection.execute(_TABLES, {"schema": schema})).all()
    if any(table.by_weeks for table in tables):
        await connection.exec_driver_sql(f"GRANT CREATE ON SCHEMA {_quoted(schema)} TO {_quoted(role)}")
    for table in tables:
        name = f"{_quoted(schema)}.{_quoted(table.name)}"
        if table.by_weeks and table.owner != role:
            await connection.exec_driver_sql(f"ALTER TABLE {name} OWNER TO {_quoted(role)}")
        elif not table.by_weeks:
            rights = "SELECT" if table.name.endswith("_version") else _ROWS
            await connection.exec_driver_sql(f"GRANT {rights} ON {name} TO {_quoted(role)}")


async def _make(connection: AsyncConnection, role: str, password: str) -> None:
    """The server gets the password's verifier alone: statements are logged."""
    known = await connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    verb = "CREATE" if known.scalar() is None else "ALTER"
    rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS" if verb == "CREATE" else "LOGIN"
    await connection.exec_driver_sql(f"{verb} ROLE {_quoted(role)} {rights} PASSWORD '{_verifier(password)}'")
    if not (await connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))).scalar_one():
        await connection.exec_driver_sql(f"GRANT {_quoted(role)} TO CURRENT_USER")  # to go on migrating what it owns


def _verifier(password: str) -> str:
    """As PostgreSQL stores a password for SCRAM-SHA-256 (RFC 5802 §3)."""
    salt = secrets.token_bytes(16)
    prepared = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, _ITERATIONS)
    client, server = (hmac.digest(salted, purpose, "sha256") for purpose in (b"Client Key", b"Server Key"))
    stored = hashlib.sha256(client).digest()
    return f"SCRAM-SHA-256${_ITERATIONS}:{_text(salt)}${_text(stored)}:{_text(server)}"


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
