"""What the broker gave up after too many deliveries reaches the quarantine of its consumer, unread, and once."""

import asyncio
import secrets

import aiormq
import pytest
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from shared_contracts.amqp import AmqpBus
from shared_contracts.amqp.topology import DELIVERY_LIMIT, Topology
from shared_contracts.bus import Delivery, Subscription
from shared_contracts.message import pack
from tests.shared_contracts.carriers import event, eventually


class Keeper:
    """A consumer that notes what it is given."""

    def __init__(self, bus: AmqpBus) -> None:
        self.taken: list[Delivery] = []
        self.aside: list[tuple[bytes, str]] = []
        bus.subscribe(Subscription("keeper", None, self.take, self.set_aside))

    async def take(self, _: int, deliveries: tuple[Delivery, ...]) -> None:
        self.taken.extend(deliveries)

    async def set_aside(self, body: bytes, reason: str) -> None:
        self.aside.append((body, reason))


async def _give_up(url: str, queue: str) -> None:
    """Be the consumer that dies of a message, as often as the broker lets it."""
    deliveries = 0

    async def die(message: DeliveredMessage) -> None:
        nonlocal deliveries
        deliveries += 1
        await message.channel.basic_nack(message.delivery_tag or 0, requeue=True)

    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.basic_consume(queue, die)
    await eventually(lambda: deliveries == DELIVERY_LIMIT + 1, within_s=20)
    await connection.close()


@pytest.mark.timeout(60)
async def test_what_a_consumer_died_of_is_set_aside_unread(amqp_url: str, bus_prefix: str) -> None:
    prefix = f"{bus_prefix}{secrets.token_hex(2)}"
    first = AmqpBus(amqp_url, prefix=prefix)
    Keeper(first)
    await first.start()  # declares the queues
    await first.stop()
    topology = Topology(prefix, first.limits.shards)
    body = pack([event(1)])
    connection = await aiormq.connect(amqp_url)
    channel = await connection.channel()
    await channel.basic_publish(
        body, exchange=topology.events, routing_key="to-keeper.s2", properties=Basic.Properties(delivery_mode=2)
    )
    await connection.close()
    await _give_up(amqp_url, topology.event_queue("keeper", 2))

    bus = AmqpBus(amqp_url, prefix=prefix)
    keeper = Keeper(bus)
    await bus.start()
    try:
        await eventually(lambda: keeper.aside, within_s=20)
        await asyncio.sleep(0.5)
        ((kept, reason),) = keeper.aside
        assert kept == body
        assert "delivery_limit" in reason
        assert f"{prefix}.keeper.s2" in reason
        assert keeper.taken == []
        assert bus.counters.dead_letters == 1
    finally:
        await bus.stop()


async def test_a_body_without_an_id_is_known_by_what_is_in_it(amqp_url: str, bus_prefix: str) -> None:
    """Two different bodies of a publisher that gives no ids are not one delivery."""
    prefix = f"{bus_prefix}{secrets.token_hex(2)}"
    bus = AmqpBus(amqp_url, prefix=prefix)
    keeper = Keeper(bus)
    await bus.start()
    try:
        connection = await aiormq.connect(amqp_url)
        channel = await connection.channel()
        for number in (1, 2, 2):
            await channel.basic_publish(
                pack([event(7 if number == 1 else 8)]), exchange=f"{prefix}.events", routing_key="to-keeper.s0"
            )
        await connection.close()
        await eventually(lambda: len(keeper.taken) == 3, within_s=10)
        ids = [delivery.id for delivery in keeper.taken]
        assert ids[0] not in {"", ids[1]}
    finally:
        await bus.stop()
