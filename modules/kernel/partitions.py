"""Tables partitioned by the time a row was stored: partitions are made ahead, so that a row always has its place."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, text

from modules.kernel.module import Service
from modules.kernel.work import ModuleContext, Work

_AHEAD = 3
_DAY_S = 24 * 3600


def keep_partitions(*tables: Table) -> Service:
    """Make a service that keeps the weekly partitions of these tables ahead of time."""

    async def run(context: ModuleContext) -> None:
        while True:
            async with context.work() as work:
                for table in tables:
                    await make_partitions(work, table)
            await asyncio.sleep(_DAY_S)

    return Service("partitions", run)


async def make_partitions(work: Work, table: Table) -> None:
    """Make the partitions of this week and the next few, where they are missing."""
    for start in _weeks(work.now):
        end = start + timedelta(days=7)
        name = f"{table.name}_{start:%Y%m%d}"
        await work.execute(
            text(
                f'CREATE TABLE IF NOT EXISTS "{table.schema}"."{name}" '
                f'PARTITION OF "{table.schema}"."{table.name}" '
                f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
            )
        )


def _weeks(now: datetime) -> Iterator[datetime]:
    monday = (now - timedelta(days=now.weekday())).astimezone(UTC)
    first = monday.replace(hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=7 * week) for week in range(_AHEAD))
