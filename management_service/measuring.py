"""Looks now and then at what waits in a module's tables, for the metrics."""

import asyncio
import time

from sqlalchemy import text

from management_service.metrics import OUTBOX_OLDEST, OUTBOX_WAITING, QUARANTINE_WAITING
from management_service.quarantine.store import QuarantineStore
from management_service.shards import made_at
from modules.kernel.module import Module
from modules.kernel.work import ModuleContext
from shared_contracts.message import unpack

_EVERY_S = 10.0


async def measure(context: ModuleContext, module: Module) -> None:
    """Every few seconds: what waits to be published, since when, and what waits for an operator.

    What is sent to one module again is old by itself, and says nothing of how long it waits.
    """
    store = QuarantineStore(module.tables)
    count = text(f'SELECT count(*) FROM "{module.schema}".outbox')
    oldest = text(f'SELECT envelope FROM "{module.schema}".outbox WHERE "only" IS NULL ORDER BY id LIMIT 1')
    while True:
        async with context.work() as work:
            waiting = await store.count_waiting(work)
            unpublished = (await work.execute(count)).scalar_one()
            body = (await work.execute(oldest)).scalar_one_or_none()
        QUARANTINE_WAITING.labels(module.name).set(waiting)
        OUTBOX_WAITING.labels(module.name).set(unpublished)
        OUTBOX_OLDEST.labels(module.name).set(0.0 if body is None else _age_s(bytes(body)))
        await asyncio.sleep(_EVERY_S)


def _age_s(body: bytes) -> float:
    return max(0.0, time.time() - made_at(unpack(body)[0]))
