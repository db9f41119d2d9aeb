"""Forgets deliveries and answers that nobody will repeat any more, so that the tables of the host stay small."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from modules.kernel.work import ModuleContext

_DELIVERIES = timedelta(days=14)
_ANSWERS = timedelta(days=2)
_EVERY_S = 3600
_AT_ONCE = 5_000


async def forget_old(context: ModuleContext, schema: str) -> None:
    """Every hour: delivery ids that are older than a broker keeps bodies, and answers to Idempotency-Keys."""
    while True:
        await _forget(context, f'"{schema}".inbox', "delivery_id", "received_at", _DELIVERIES)
        await _forget(context, f'"{schema}".idempotency', "key", "created_at", _ANSWERS)
        await asyncio.sleep(_EVERY_S)


async def _forget(context: ModuleContext, table: str, key: str, column: str, age: timedelta) -> None:
    statement = text(
        f"DELETE FROM {table} WHERE {key} IN "
        f"(SELECT {key} FROM {table} WHERE {column} < :before ORDER BY {column} LIMIT {_AT_ONCE})"
    )
    forgotten = _AT_ONCE
    while forgotten == _AT_ONCE:
        async with context.work() as work:
            forgotten = (await work.execute(statement, {"before": work.now - age})).rowcount
