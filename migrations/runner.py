"""Brings the schemas of the modules up to date."""

import re
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

log = structlog.get_logger()

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
_SHARED = "shared"
"""The history of the tables that every schema has: it follows the module's own, whose first revision makes them."""

_REVISION = re.compile(r'^revision = "(.+)"$', re.MULTILINE)

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
    histories = {"schema_version": _HERE / module, "shared_version": _HERE / _SHARED}
    if not all(_is_newest(connection, schema, table, history) for table, history in histories.items()):
        _migrate(connection, schema, histories)


def _is_newest(connection: Connection, schema: str, version_table: str, history: Path) -> bool:
    """Whether there is nothing to do: the usual case, in which loading Alembic would take much of a start.

    So it is where a later release has migrated already: what it changed works for this one too.
    """
    if not inspect(connection).has_table(version_table, schema):
        return False
    present = connection.scalar(text(f'SELECT version_num FROM "{schema}".{version_table}'))
    if present is None:
        return False
    known = _revisions(history)
    if present not in known:
        log.warning("migrated_by_a_later_release", schema=schema, revision=present)
    return present not in known[:-1]


def _revisions(history: Path) -> list[str]:
    """The revisions of a history, oldest first: its files are numbered."""
    files = sorted(history.glob("[0-9]*.py"))
    return [found[1] for file in files if (found := _REVISION.search(file.read_text()))]


def _migrate(connection: Connection, schema: str, histories: Mapping[str, Path]) -> None:
    from alembic import command  # noqa: PLC0415 -- see _is_newest
    from alembic.config import Config  # noqa: PLC0415

    connection.execute(text("SET LOCAL lock_timeout = '10s'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    for version_table, history in histories.items():
        config = Config()
        config.set_main_option("script_location", str(_HERE))
        config.set_main_option("version_locations", str(history))
        config.set_main_option("path_separator", "os")
        config.attributes.update(connection=connection, schema=schema, version_table=version_table)
        command.upgrade(config, "head")
