"""What tests do to a database, and what they ask of the services meanwhile."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import make_url

from modules import catalogue
from tests.faults.ground import Ground
from tests.services.postgres import PrivatePostgres
from tests.services.rabbitmq import PrivateRabbit


async def connect(database: PrivatePostgres, name: str = "postgres") -> Any:
    """A connection of asyncpg past the proxy, as the superuser."""
    host = make_url(database.url).query["host"]
    return await asyncpg.connect(host=str(host), user="postgres", database=name, timeout=10)


async def said(database: PrivatePostgres, *statements: str, name: str = "postgres") -> None:
    """Run statements, each in a transaction of its own."""
    connection = await connect(database, name)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def processes_of(database: PrivatePostgres) -> list[int]:
    """The server and everything it has started."""
    found = [database.pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == database.pid:
                found.append(int(entry.name))
    return found


@asynccontextmanager
async def frozen(database: PrivatePostgres) -> AsyncIterator[None]:
    """Stop every process of the server as a hypervisor does: its connections stay, and nobody answers."""
    stopped = processes_of(database)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


@dataclass
class Asked:
    """What the API answered to someone who asked again and again."""

    statuses: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    without_retry_after: int = 0


@asynccontextmanager
async def asking(ground: Ground, path: str = "/transactions") -> AsyncIterator[Asked]:
    """Read a list twice a second, and note how that goes."""
    seen, strum = Asked(), ground.strum
    headers = {"Authorization": f"Bearer {strum.token}"}

    async def ask() -> None:
        while True:
            began = time.monotonic()
            url = f"http://127.0.0.1:{strum.api_port}/api/v1{path}"
            async with strum.session.get(url, headers=headers) as response:
                is_problem = response.content_type == "application/problem+json"
                seen.statuses[response.status] += 1
                unsaid = response.status == 503 and not (is_problem and "Retry-After" in response.headers)
                seen.without_retry_after += unsaid
                await response.read()
            seen.slowest_s = max(seen.slowest_s, time.monotonic() - began)
            await asyncio.sleep(0.5)

    asking_task = asyncio.create_task(ask())
    try:
        yield seen
    finally:
        asking_task.cancel()
        outcome = (await asyncio.gather(asking_task, return_exceptions=True))[0]
    assert isinstance(outcome, asyncio.CancelledError), outcome


async def depths(broker: PrivateRabbit) -> dict[str, int]:
    """How many bodies each event queue has, and that of the dead letters; what is being handled counts."""
    listed = await broker.control("list_queues", "name", "messages")
    rows = (line.split("\t") for line in listed.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdecimal()}


_IN_HAND = 3
"""Bodies of a shard that charging stations keep under way at any moment, on a busy machine."""


async def drained(ground: Ground, *, within_s: float) -> float:
    """Wait until no module has events left at the broker; returns how long that took. A look takes about a second."""
    began = time.monotonic()
    async with asyncio.timeout(within_s):
        while any(count > _IN_HAND for name, count in (await depths(ground.broker)).items() if ".s" in name):
            await asyncio.sleep(0.2)
    return time.monotonic() - began


async def set_aside(ground: Ground) -> list[dict[str, Any]]:
    """What is in quarantine, of all modules."""
    return [item for name in catalogue.NAMES for item in await ground.strum.pages(f"/quarantine/{name}")]
