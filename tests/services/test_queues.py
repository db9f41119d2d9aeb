import json
import os
from pathlib import Path

import aio_pika
import pytest

from tests.services import queues
from tests.services.databases import Run
from tests.services.queues import drop_names


async def exists(connection: aio_pika.abc.AbstractConnection, queue: str) -> bool:
    try:
        await (await connection.channel()).declare_queue(queue, passive=True)
    except aio_pika.exceptions.ChannelNotFoundEntity:
        return False
    return True


async def test_what_a_run_declared_is_deleted_and_nothing_else(
    amqp_url: str, bus_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run("20990105", Run.of_this_process().machine, os.getppid())
    queue, exchange, of_others = f"{run}_queue", f"{run}_exchange", f"{bus_prefix}queue"
    rabbitmqctl = tmp_path / "rabbitmqctl"
    names = {"queues": [queue, of_others, "orders"], "exchanges": [exchange, "amq.topic"]}
    for kind, listed in names.items():
        (tmp_path / f"list_{kind}").write_text(json.dumps([{"name": name} for name in listed]))
    rabbitmqctl.write_text(
        f'#!/bin/sh\nfor word; do [ -f {tmp_path}/"$word" ] && cat {tmp_path}/"$word"; done; exit 0\n'
    )
    rabbitmqctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for name in (queue, of_others):
            await channel.declare_queue(name)
        await channel.declare_exchange(exchange)

        await drop_names(amqp_url, run)

        assert not await exists(connection, queue)
        assert await exists(connection, of_others)
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await (await connection.channel()).get_exchange(exchange)
        await (await connection.channel()).queue_delete(of_others)


async def test_a_broker_that_does_not_answer_keeps_no_run_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PATIENCE_S", 0.5)
    rabbitmqctl = tmp_path / "rabbitmqctl"
    rabbitmqctl.write_text("#!/bin/sh\nexec sleep 60\n")
    rabbitmqctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.warns(UserWarning, match="left on the broker"):
        await drop_names("amqp://127.0.0.1:1/", Run.of_this_process())


async def test_a_broker_without_rabbitmqctl_is_left_as_it_is(amqp_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    await drop_names(amqp_url, Run.of_this_process())
