"""Where tests get their servers from, in this order.

1. `STRUM_TEST_DATABASE_URL`, `STRUM_TEST_AMQP_URL`: what the caller names, and nothing else then.
2. The standard local ports, if they let us in: PostgreSQL's 5432 as postgres without a password, RabbitMQ's 5672
   as guest, if it keeps a message too. `STRUM_TEST_DATABASE_PORT` and `STRUM_TEST_AMQP_PORT` name other ports to try.
3. Installed programs, started on private ports and directories; PostgreSQL's come with the extra `embedded`.
4. For RabbitMQ, `docker compose`; and for root on Debian or Ubuntu, `apt-get install`.
"""

import asyncio
import os
import secrets
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aio_pika
import asyncpg

from shared_contracts.amqp.link import ConnectionLost, translated
from strum.embedded import EmbeddedPostgres
from strum.postgres_programs import PostgresNotFound
from tests.services import fallbacks
from tests.services.databases import Run
from tests.services.postgres import SETTINGS
from tests.services.rabbitmq import PrivateRabbit, find_program

DATABASE_URL = "STRUM_TEST_DATABASE_URL"
AMQP_URL = "STRUM_TEST_AMQP_URL"
_PROBE_TIMEOUT_S = 5.0
_CLOSING_S = 1.0
_NO_RABBITMQ = (
    "The tests need RabbitMQ: install rabbitmq-server (Debian and Ubuntu: apt install rabbitmq-server, macOS: brew "
    f"install rabbitmq), or start Docker, or set {AMQP_URL} to the URL of a server."
)
_NO_POSTGRES = f"The tests need PostgreSQL: run `make test`, which brings one, or set {DATABASE_URL} to a server's URL."


class ServiceMissing(Exception):
    """No server could be had; the message is one sentence that says what to install or set."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server on which we may make databases. Raises ServiceMissing."""
    port = os.environ.get("STRUM_TEST_DATABASE_PORT", "5432")
    local = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"
    if named := os.environ.get(DATABASE_URL):
        url = asyncpg_url(named)
        _insist(_postgres_answers, url, DATABASE_URL)
        yield url
    elif asyncio.run(_postgres_answers(local)):
        yield local
    else:
        with _private_postgres() as url:
            yield url


@contextmanager
def rabbitmq_server() -> Iterator[str]:
    """The URL of a RabbitMQ server. Raises ServiceMissing."""
    local = f"amqp://guest:guest@127.0.0.1:{os.environ.get('STRUM_TEST_AMQP_PORT', '5672')}/"
    if named := os.environ.get(AMQP_URL):
        _insist(_rabbitmq_answers, named, AMQP_URL)
        yield named
    elif asyncio.run(_rabbitmq_answers(local)):
        yield local
    elif not _rabbitmq_is_installed() and fallbacks.docker_answers():
        with fallbacks.composed_rabbitmq() as url:
            yield url
    else:
        with _private_rabbitmq() as url:
            yield url


def asyncpg_url(url: str) -> str:
    """`url` as SQLAlchemy wants it, whichever of the usual schemes it has."""
    return "postgresql+asyncpg://" + url.partition("://")[2]


def _insist(answers: Callable[[str], Awaitable[bool]], url: str, name: str) -> None:
    async def ask() -> bool:
        return await answers(url)

    if not asyncio.run(ask()):
        raise ServiceMissing(f"The server that {name} names does not let us in: start it, or unset {name}.")


async def _postgres_answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=_PROBE_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    try:
        query = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        return bool(await connection.fetchval(query))
    finally:
        await connection.close()


async def _rabbitmq_answers(url: str) -> bool:
    """Whether a broker there keeps messages: one without memory, disk or file handles lets us in and then hangs."""
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            connection = await translated(aio_pika.connect(url))
            try:
                await translated(_keep_a_message(connection))
            finally:
                async with asyncio.timeout(_CLOSING_S):
                    await translated(connection.close())
    except (OSError, aio_pika.exceptions.AMQPError, ConnectionLost, TimeoutError):
        return False
    return True


async def _keep_a_message(connection: aio_pika.abc.AbstractConnection) -> None:
    channel = await connection.channel()
    name = f"{Run.of_this_process()}_{secrets.token_hex(4)}_probe"
    arguments: dict[str, str | int] = {"x-queue-type": "quorum", "x-expires": 60_000}
    await channel.declare_queue(name, durable=True, arguments=arguments)
    await channel.default_exchange.publish(aio_pika.Message(b"kept"), name)
    await channel.queue_delete(name)


@contextmanager
def _private_postgres() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="strum-postgres-") as directory:
        server = EmbeddedPostgres(Path(directory), durable=False, settings=SETTINGS)
        try:
            yield server.start()
        except PostgresNotFound:
            raise ServiceMissing(_NO_POSTGRES) from None
        finally:
            server.stop()


def _rabbitmq_is_installed() -> bool:
    try:
        return bool(find_program("rabbitmq-server"))
    except FileNotFoundError:
        return False


@contextmanager
def _private_rabbitmq() -> Iterator[str]:
    if not _rabbitmq_is_installed() and not fallbacks.install_rabbitmq():
        raise ServiceMissing(_NO_RABBITMQ)
    with tempfile.TemporaryDirectory(prefix="strum-rabbitmq-") as directory:
        broker = PrivateRabbit(Path(directory))
        broker.start_blocking()
        try:
            yield broker.url
        finally:
            broker.kill_blocking()
