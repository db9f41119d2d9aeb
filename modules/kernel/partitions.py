"""Tables partitioned by the week a row was stored in: made ahead, so that a row has its place, and dropped when old.

Neither stops who writes: a partition is attached and detached under a lock that lets writers pass.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from modules.kernel.metrics import OLDEST_KEPT, PARTITIONS_DROPPED
from modules.kernel.module import Service
from modules.kernel.work import ModuleContext, Work

log = structlog.get_logger()

_AHEAD = 3
_WEEK = timedelta(days=7)
_DAY_S = 24 * 3600.0
_AGAIN_S = 60.0
"""So soon it is tried again where a long statement of somebody else was in the way."""

_STATES = text(
    """
    SELECT c.relname AS name, i.inhdetachpending AS is_leaving, i.inhrelid IS NULL AS is_detached
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind = 'r' AND c.relname ~ :pattern
    ORDER BY c.relname
    """
)


@dataclass(frozen=True, slots=True)
class Partitioned:
    """A table by weeks, and for how many days its rows are kept at least, by the module's settings; 0 for ever."""

    table: Table
    kept_days: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class _Partition:
    """A partition as it is: attached, leaving (its detaching was broken off), or detached and yet to be dropped."""

    table: Table
    name: str
    is_leaving: bool
    is_detached: bool

    @property
    def begins_at(self) -> datetime:
        return datetime.strptime(self.name[-8:], "%Y%m%d").replace(tzinfo=UTC)

    def ends_before(self, moment: datetime) -> bool:
        return self.begins_at + _WEEK <= moment


def keep_partitions(*kept: Partitioned) -> Service:
    """Make a service that makes the partitions of these tables ahead of time, and drops those that are too old."""

    async def run(context: ModuleContext) -> None:
        while True:
            await make_all(context, *kept)
            is_done = await drop_old(context, *kept)
            await asyncio.sleep(_DAY_S if is_done else _AGAIN_S)

    return Service("partitions", run)


async def make_all(context: ModuleContext, *kept: Partitioned) -> None:
    """Make the partitions of this week and the next few, where they are missing."""
    async with context.work() as work:
        for each in kept:
            await make_partitions(work, each.table)


async def make_partitions(work: Work, table: Table) -> None:
    """Make the partitions of this week and the next few, where they are missing.

    To make one as a partition would lock its parent against everybody; to attach one does not stop who writes.
    """
    await work.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"{table.fullname}.partitions"})
    there = {partition.name for partition in await _partitions(await work.connection(), table)}
    for start in _weeks(work.now):
        name = f"{table.name}_{start:%Y%m%d}"
        if name not in there:
            parent, own = f'"{table.schema}"."{table.name}"', f'"{table.schema}"."{name}"'
            bounds = f"FROM ('{start.isoformat()}') TO ('{(start + _WEEK).isoformat()}')"
            await work.execute(text(f"CREATE TABLE {own} (LIKE {parent} INCLUDING DEFAULTS)"))
            await work.execute(text(f"ALTER TABLE {parent} ATTACH PARTITION {own} FOR VALUES {bounds}"))


async def drop_old(context: ModuleContext, *kept: Partitioned) -> bool:
    """Drop what is older than is kept, the oldest first; returns whether nothing was in the way.

    One replica does so at a time. Broken off at any point, the next call goes on from there.
    """
    async with _alone(context, kept[0].table.schema) as connection:
        if connection is None:
            return True
        done = [await _drop_old_of(connection, each, context.settings) for each in kept]
    return all(done)


async def _drop_old_of(connection: AsyncConnection, kept: Partitioned, settings: object) -> bool:
    """The clock of ours or of the database may be wrong: the one that is behind counts."""
    days, table = kept.kept_days(settings), kept.table
    now = min(datetime.now(UTC), (await connection.execute(text("SELECT now()"))).scalar_one())
    partitions = await _partitions(connection, table)
    old = [each for each in partitions if days and each.ends_before(now - timedelta(days=days))]
    for partition in old:
        try:
            await _drop(connection, partition)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            log.warning("partition_stays", partition=partition.name, error=repr(error.orig))
            return False
        PARTITIONS_DROPPED.labels(table.fullname).inc()
        log.info("partition_dropped", partition=partition.name, kept_days=days)
    left = [each.begins_at for each in partitions if each not in old]
    OLDEST_KEPT.labels(table.fullname).set((now - min(left, default=now)).total_seconds())
    return True


async def _drop(connection: AsyncConnection, partition: _Partition) -> None:
    """Detach it, which waits for who reads it and lets everybody else pass; then nobody knows it any more."""
    parent = f'"{partition.table.schema}"."{partition.table.name}"'
    own = f'"{partition.table.schema}"."{partition.name}"'
    if not partition.is_detached:
        how = "FINALIZE" if partition.is_leaving else "CONCURRENTLY"
        await connection.execute(text(f"ALTER TABLE {parent} DETACH PARTITION {own} {how}"))
    await connection.execute(text(f"DROP TABLE {own}"))


async def _partitions(connection: AsyncConnection, table: Table) -> list[_Partition]:
    """The partitions that are there, oldest first."""
    found = await connection.execute(_STATES, {"schema": table.schema, "pattern": f"^{table.name}_[0-9]{{8}}$"})
    return [_Partition(table, row.name, bool(row.is_leaving), row.is_detached) for row in found]


@asynccontextmanager
async def _alone(context: ModuleContext, schema: str | None) -> AsyncIterator[AsyncConnection | None]:
    """A connection outside of transactions, for the one that is at it; None for the others."""
    async with context.work() as work:
        engine = (await work.connection()).engine
    name = {"name": f"{schema}.retention"}
    async with engine.connect() as opened:
        connection = await opened.execution_options(isolation_level="AUTOCOMMIT")
        if not await connection.scalar(text("SELECT pg_try_advisory_lock(hashtext(:name))"), name):
            yield None
            return
        try:
            yield connection
        finally:
            await connection.invalidate()  # its lock goes with it, whatever became of the last statement


def _weeks(now: datetime) -> Iterator[datetime]:
    monday = (now - timedelta(days=now.weekday())).astimezone(UTC)
    first = monday.replace(hour=0, minute=0, second=0, microsecond=0)
    return (first + _WEEK * week for week in range(_AHEAD))
