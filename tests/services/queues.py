"""Removes the exchanges and queues that tests leave on a broker that is not theirs alone."""

import asyncio
import json
import shutil
import subprocess
import warnings

import aio_pika

from shared_contracts.amqp.link import ConnectionLost, translated
from tests.services.databases import Run

PATIENCE_S = 60.0


async def drop_names(url: str, run: Run) -> None:
    """Delete what `run`, and runs that have ended, declared on the broker of this machine.

    AMQP cannot list names, so rabbitmqctl does; nothing is deleted where it does not work, as on another machine.
    A broker that does not answer must not keep a run from ending: what is left the next one deletes.
    """
    try:
        listings = (asyncio.to_thread(_names, listing, run) for listing in ("list_queues", "list_exchanges"))
        queues, exchanges = await asyncio.gather(*listings)
        if queues or exchanges:
            async with asyncio.timeout(PATIENCE_S):
                await _delete(url, queues, exchanges)
    except (OSError, aio_pika.exceptions.AMQPError, ConnectionLost, subprocess.TimeoutExpired) as error:
        warnings.warn(f"queues of this run were left on the broker: {error!r}", stacklevel=2)


async def _delete(url: str, queues: list[str], exchanges: list[str]) -> None:
    connection = await translated(aio_pika.connect(url))
    channel = await translated(connection.channel())
    for name in queues:
        await translated(channel.queue_delete(name))
    for name in exchanges:
        await translated(channel.exchange_delete(name))
    await translated(connection.close())


def _names(listing: str, run: Run) -> list[str]:
    program = shutil.which("rabbitmqctl")
    if program is None:
        return []
    command = [program, "--quiet", "--formatter", "json", listing, "name"]
    listed = subprocess.run(command, capture_output=True, check=False, timeout=PATIENCE_S)
    if listed.returncode != 0:
        return []
    return [row["name"] for row in json.loads(listed.stdout) if _belongs(row["name"], run)]


def _belongs(name: str, run: Run) -> bool:
    owner = Run.parse(name)
    return owner is not None and (owner == run or owner.is_over)
