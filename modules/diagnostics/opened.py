"""What the module opens when it starts, and gives back when it stops."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import structlog

from modules.diagnostics import tables
from modules.diagnostics.azure_table import AzureStatusStore
from modules.diagnostics.feed import Feed
from modules.diagnostics.settings import DiagnosticsSettings
from modules.diagnostics.status_store import PostgresStatusStore, StatusStore
from modules.diagnostics.status_writer import StatusWriter
from modules.kernel.module import Service
from modules.kernel.partitions import Partitioned, keep_partitions, make_all
from modules.kernel.work import ModuleContext

log = structlog.get_logger()

_LAST_FLUSH_S = 5.0

PARTITIONED = (
    Partitioned(tables.events, lambda settings: settings.events_kept_days),
    Partitioned(tables.frames, lambda settings: settings.frames_kept_days),
    Partitioned(tables.audit_records, lambda settings: settings.audit_kept_days),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The resources of this module: `context` is for what outlives a request."""

    context: ModuleContext
    statuses: StatusStore
    writer: StatusWriter
    feed: Feed


@asynccontextmanager
async def open_resources(context: ModuleContext) -> AsyncIterator[Mapping[type, object]]:
    """Choose the status store by the settings; on leaving, write what is still in memory.

    The partitions of this week are made first: an event without its place would be set aside as bad data.
    """
    await make_all(context, *PARTITIONED)
    settings = cast("DiagnosticsSettings", context.settings)
    store = _store(settings, context)
    writer = StatusWriter(context, store, interval_s=settings.flush_interval_s)
    feed = Feed(context)
    try:
        yield {Opened: Opened(context, store, writer, feed)}
    finally:
        feed.close()
        await _finish(writer)
        await store.close()


def _store(settings: DiagnosticsSettings, context: ModuleContext) -> StatusStore:
    if settings.status_store_url is None:
        return PostgresStatusStore(context)
    return AzureStatusStore(settings.status_store_url.get_secret_value(), settings.status_table)


async def _finish(writer: StatusWriter) -> None:
    try:
        async with asyncio.timeout(_LAST_FLUSH_S):
            await writer.finish()
    except Exception as error:
        log.warning("statuses_left_behind", error=repr(error))  # the next start reads them from the event store


async def _write_statuses(context: ModuleContext) -> None:
    await _opened(context).writer.run()


async def _feed(context: ModuleContext) -> None:
    await _opened(context).feed.run()


def _opened(context: ModuleContext) -> Opened:
    return cast("Opened", context.resources[Opened])


services = (keep_partitions(*PARTITIONED), Service("statuses", _write_statuses), Service("feed", _feed))
