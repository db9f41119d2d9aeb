"""Whether a module's migrations make what its `tables.py` says."""

import re
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

_PARTITION = re.compile(r"_\d{8}$")


async def differences(database: str, metadata: MetaData) -> list[Any]:
    """What alembic would still change in the module's schema; partitions and the version tables are not looked at."""
    engine = create_async_engine(database)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_compare, metadata)
    finally:
        await engine.dispose()


def _compare(connection: Connection, metadata: MetaData) -> list[Any]:
    def wanted(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == metadata.schema
        return kind != "table" or not (name in {"schema_version", "shared_version"} or _PARTITION.search(name or ""))

    options = {"include_schemas": True, "include_name": wanted, "compare_type": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
