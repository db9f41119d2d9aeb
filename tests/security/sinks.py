"""Everything that is written down: logs, events at the broker, every column of the database, every list of the API."""

import asyncio
import base64
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from modules import catalogue
from modules.kernel.http import EventStream
from tests.e2e.stack import Stack
from tests.services.rabbitmq import PrivateRabbit

_TABLES = text(
    "SELECT table_schema, table_name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
)


def forms(secret: str) -> Iterable[str]:
    """How a secret may be written: as it is, in hex, in base64 at each of the three offsets."""
    raw = secret.encode()
    yield secret
    yield raw.hex()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]


def leaks(sinks: dict[str, str], secrets: dict[str, str]) -> list[tuple[str, str, str]]:
    """Which secret is in which sink, and around what."""
    found = []
    for sink, content in sinks.items():
        lower = content.lower()
        for name, secret in secrets.items():
            for form in forms(secret):
                place = lower.find(form.lower())
                if place >= 0:
                    found.append((name, sink, content[max(0, place - 150) : place + 80]))
                    break
    return found


async def of_database(url: str) -> dict[str, str]:
    """Each table as text; what is binary is shown as the text that it holds."""
    engine, sinks = create_async_engine(url), {}
    try:
        async with engine.connect() as connection:
            for schema, table in (await connection.execute(_TABLES)).all():
                rows = (await connection.execute(text(f'SELECT * FROM "{schema}"."{table}"'))).all()
                sinks[f"{schema}.{table}"] = "\n".join(_shown(value) for row in rows for value in row)
    finally:
        await engine.dispose()
    return sinks


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def of_api(strum: Stack, **path: str) -> dict[str, str]:
    """Everything that an administrator can read."""
    sinks = {}
    for name in catalogue.NAMES:
        for route in catalogue.load(name).routes:
            if route.method != "GET" or route.signature().returns is EventStream:
                continue
            try:
                url = route.path.format_map(path)
            except KeyError:
                continue  # the thing itself is in the list before it
            headers = {"Authorization": f"Bearer {strum.token}"}
            address = f"http://127.0.0.1:{strum.api_port}/api/v1{url}"
            async with strum.session.get(address, headers=headers) as answer:
                assert answer.status == 200, (url, answer.status)
                sinks[f"GET {url}"] = await answer.text()
        sinks[f"GET /quarantine/{name}"] = str(await strum.pages(f"/quarantine/{name}"))
    return sinks


def of_logs(directory: Path) -> dict[str, str]:
    """The logs of our services."""
    return {path.name: path.read_text(errors="replace") for path in directory.glob("*.log")}


@dataclass
class Heard:
    """What was published at a broker, by exchange; the nameless one has the replies."""

    bodies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    routing_keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@asynccontextmanager
async def all_heard(broker: PrivateRabbit) -> AsyncIterator[Heard]:
    """Everything that anybody publishes: the broker itself tells it, so that nothing is led elsewhere for our sake."""
    heard = Heard()
    await broker.control("trace_on")
    connection = await aio_pika.connect(broker.url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("amq.rabbitmq.trace", routing_key="publish.#")

        async def take(message: Any) -> None:
            exchange = message.headers["exchange_name"]
            heard.bodies[exchange].append(message.body.decode("utf-8", "replace") + str(message.headers))
            heard.routing_keys[exchange].update(message.headers["routing_keys"])

        await queue.consume(take, no_ack=True)
        yield heard
        await asyncio.sleep(0.2)
    await broker.control("trace_off")
