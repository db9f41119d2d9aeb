"""Forgets deliveries and answers that nobody will repeat any more, and what was set aside and is dealt with."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from modules.kernel.work import ModuleContext

_DELIVERIES = timedelta(days=14)
_ANSWERS = timedelta(days=2)
_DEALT_WITH = timedelta(days=90)
_EVERY_S = 3600
_AT_ONCE = 5_000


async def forget_old(context: ModuleContext, schema: str) -> None:
    """Every hour: delivery ids older than a broker keeps bodies, answers to Idempotency-Keys, what left the quarantine.

    What waits in the quarantine stays until somebody deals with it. A clock that runs ahead, ours or the database's,
    deletes nothing early.
    """
    while True:
        await _forget(context, f'"{schema}".inbox', "delivery_id", "received_at", _DELIVERIES)
        await _forget(context, f'"{schema}".idempotency', "key", "created_at", _ANSWERS)
        await _forget(context, f'"{schema}".quarantine', "id", "changed_at", _DEALT_WITH, "state <> 'waiting'")
        await asyncio.sleep(_EVERY_S)


async def _forget(
    context: ModuleContext, table: str, key: str, column: str, age: timedelta, which: str = "true"
) -> None:
    before = "least(CAST(:now AS timestamptz), now()) - CAST(:age AS interval)"
    statement = text(
        f"DELETE FROM {table} WHERE {key} IN "
        f"(SELECT {key} FROM {table} WHERE {column} < {before} AND {which} ORDER BY {column} LIMIT {_AT_ONCE})"
    )
    forgotten = _AT_ONCE
    while forgotten == _AT_ONCE:
        async with context.work() as work:
            forgotten = (await work.execute(statement, {"now": work.now, "age": age})).rowcount
