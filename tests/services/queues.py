"""Removes the exchanges and queues that tests leave on a broker that is not theirs alone."""

import asyncio
import json
import shutil

import aio_pika

from tests.services.databases import Run


async def drop_names(url: str, run: Run) -> None:
    """Delete what `run`, and runs that have ended, declared on the broker of this machine.

    AMQP cannot list names, so rabbitmqctl does; nothing is deleted where it does not work, as on another machine.
    """
    queues, exchanges = await asyncio.gather(_names("list_queues", run), _names("list_exchanges", run))
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for name in queues:
            await channel.queue_delete(name)
        for name in exchanges:
            await channel.exchange_delete(name)


async def _names(listing: str, run: Run) -> list[str]:
    program = shutil.which("rabbitmqctl")
    if program is None:
        return []
    process = await asyncio.create_subprocess_exec(
        program, "--quiet", "--formatter", "json", listing, "name", stdout=-1, stderr=-1
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        return []
    return [row["name"] for row in json.loads(output) if _belongs(row["name"], run)]


def _belongs(name: str, run: Run) -> bool:
    owner = Run.parse(name)
    return owner is not None and (owner == run or owner.is_over)
