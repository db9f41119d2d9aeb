"""The module's context without its consumers, and statuses to put into a store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import create_async_engine

from management_service.hosted import Hosted
from modules.diagnostics import module
from modules.diagnostics.domain import Status
from modules.diagnostics.settings import DiagnosticsSettings
from shared_contracts.memory import MemoryBus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def hosted(database: str) -> AsyncIterator[Hosted]:
    """The context that the host would give the module; nothing is started."""
    engine = create_async_engine(database)
    try:
        yield Hosted(module, engine, MemoryBus(), DiagnosticsSettings())
    finally:
        await engine.dispose()


def a_status(
    station_id: str = "CS-1", item: str = "connector:1:1", version: int = 1, state: str | None = "available", **body
) -> Status:
    return Status(station_id, item, state, NOW + timedelta(seconds=version), version, body or {"version": version})
