import asyncio
import resource
import socket
from pathlib import Path

import aio_pika
import pytest
from aio_pika import DeliveryMode, Message

from tests.services import rabbitmq
from tests.services.rabbitmq import PrivateRabbit, RabbitDidNotStart

QUORUM_QUEUE_SETTLES_S = 6  # RabbitMQ 3.10 writes down what a quorum queue is every 5 s


async def publish(url: str, queue: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(Message(body, delivery_mode=DeliveryMode.PERSISTENT), queue)


async def take(url: str, queue: str) -> bytes:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        kept = await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})
        message = await kept.get(no_ack=True)
        return message.body


async def test_what_a_private_broker_confirmed_is_there_after_a_kill(tmp_path: Path) -> None:
    async with PrivateRabbit(tmp_path) as broker:
        await publish(broker.url, "kept", b"confirmed")
        await asyncio.sleep(QUORUM_QUEUE_SETTLES_S)

        await broker.kill()
        await broker.start()

        assert await take(broker.url, "kept") == b"confirmed"
        assert "kept" in await broker.control("list_queues", "name")


async def test_a_private_broker_listens_on_loopback_only_and_leaves_nothing_running(tmp_path: Path) -> None:
    async with PrivateRabbit(tmp_path) as broker:
        ports = (broker.port, broker._distribution_port, broker._epmd_port)
        assert all(_listens("127.0.0.1", port) for port in ports)
        assert not any(_listens("127.0.0.2", port) for port in ports)

    async with asyncio.timeout(5):  # a process that was killed takes a moment to be gone
        while any(_listens("127.0.0.1", port) for port in ports):
            await asyncio.sleep(0.05)


async def test_a_private_broker_may_open_more_files_than_we(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        async with PrivateRabbit(tmp_path) as broker:
            allowed = int(await broker.control("eval", "proplists:get_value(total_limit, file_handle_cache:info())."))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert 1024 < allowed <= 65536


async def test_a_frozen_broker_is_silent_until_it_thaws(tmp_path: Path) -> None:
    async with PrivateRabbit(tmp_path) as broker:
        broker.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await aio_pika.connect(broker.url)

        broker.thaw()

        await publish(broker.url, "kept", b"confirmed")


async def test_a_broker_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "rabbitmq-server"
    program.write_text("#!/bin/sh\necho no memory left; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(rabbitmq, "find_program", lambda _: str(program))

    with pytest.raises(RabbitDidNotStart, match="no memory left"):
        await PrivateRabbit(tmp_path / "broker").start()


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
