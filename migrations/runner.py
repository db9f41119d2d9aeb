"""Brings the schemas of the modules up to date."""

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

MODULES: Mapping[str, str] = {
    "authorization": "authz",
    "charge_points": "charge_points",
    "configuration": "configuration",
    "diagnostics": "diagnostics",
    "statistics": "statistics",
    "transactions": "transactions",
    "users": "users",
}
"""Module → the schema it owns (`authorization` is a reserved word in PostgreSQL)."""

_HERE = Path(__file__).parent
_LOCK = 0x5354_5255_4D  # "STRUM": one migration at a time in a database


async def upgrade(url: str, *, modules: Mapping[str, str] | None = None) -> None:
    """Migrate to the newest revision.

    `url` is a SQLAlchemy asyncpg URL; `modules` maps a module to a URL of its own where it has one, and restricts
    what is migrated to the modules it names. Concurrent callers wait for each other.
    """
    urls = modules if modules is not None else dict.fromkeys(MODULES, url)
    for module, module_url in urls.items():
        engine = create_async_engine(module_url, poolclass=NullPool)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade, module, MODULES[module])
        finally:
            await engine.dispose()


def _upgrade(connection: Connection, module: str, schema: str) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(_HERE / module))
    config.set_main_option("path_separator", "os")
    config.attributes.update(connection=connection, schema=schema)
    command.upgrade(config, "head")
