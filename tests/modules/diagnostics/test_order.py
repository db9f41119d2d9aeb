"""A reader of the event store misses nothing, though transactions commit in any order and some not at all."""

import asyncio
import random

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from modules.diagnostics.domain import EventFilter
from modules.diagnostics.repository import events
from tests.modules.diagnostics.said import NOW, hosted

WRITERS = 6
TRANSACTIONS = 25


async def write(context, name, committed):
    """Transactions of one writer, one after the other: each stores twice, is slow now and then, and may fail."""
    chance = random.Random(name)
    for number in range(TRANSACTIONS):
        ids = [f"{name}.{number}.{half}" for half in range(2)]
        async with context.work() as work:
            for event_id in ids:
                await events.store_events(work, [(event_id, "k.v1", name, NOW, None, None, "{}")])
                await asyncio.sleep(chance.choice((0, 0, 0.001, 0.03)))
            is_kept = chance.random() < 0.8
            if not is_kept:
                await work.rollback()
        committed.extend(ids if is_kept else ())


async def read(context, seen, writing):
    """Follow as the feed does, until all is written and read."""
    position = 0
    while True:
        is_last = all(task.done() for task in writing)
        async with context.work() as work:
            until = (await events.bounds(work)).settled
            found = await events.read_events(work, EventFilter(), after=position, until=until, limit=7)
        seen.extend(event.id for event in found)
        position = found[-1].position if found else position
        if is_last and not found:
            return
        await asyncio.sleep(0)


async def test_a_reader_sees_all_that_is_committed_once_and_each_writer_in_order(database):
    async with hosted(database) as context:
        context.database.working = create_async_engine(database, pool_size=WRITERS + 1)
        async with context.module.resources(context):
            committed, seen = [], []
            writing = [asyncio.create_task(write(context, f"w{n}", committed)) for n in range(WRITERS)]
            await read(context, seen, writing)
            await asyncio.gather(*writing)
    assert sorted(seen) == sorted(committed)
    for name in {event_id.split(".")[0] for event_id in seen}:
        own = [tuple(map(int, event_id.split(".")[1:])) for event_id in seen if event_id.startswith(f"{name}.")]
        assert own == sorted(own)


async def test_an_open_transaction_elsewhere_holds_no_reader_up(database):
    async with hosted(database) as context, context.module.resources(context), context.work() as other:
        await other.execute(text("CREATE TABLE other (id int)"))  # it writes, though no events
        async with context.work() as work:
            await events.store_events(work, [("1", "k.v1", None, NOW, None, None, "{}")])
        async with context.work() as work:
            bounds = await events.bounds(work)
    assert (bounds.given, bounds.settled) == (1, 1)
