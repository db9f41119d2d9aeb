"""The broker restarts, dies, freezes, or holds publishers back: nothing confirmed is lost, nothing counted twice."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import BusUnavailable
from shared_contracts.message import Envelope
from tests.services.rabbitmq import PrivateRabbit
from tests.shared_contracts.carriers import ASK, Recorder, event, eventually

MakeBus = Callable[..., AmqpBus]

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[PrivateRabbit]:
    async with PrivateRabbit(tmp_path) as rabbit:
        yield rabbit


class Traffic:
    """Publishes numbered events of one station all the time, and notes which were confirmed."""

    def __init__(self, bus: AmqpBus) -> None:
        self.bus = bus
        self.sent = 0
        self.confirmed: list[int] = []
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def _run(self) -> None:
        for number in itertools.count():
            future = self.bus.publish(event(number))
            future.add_done_callback(lambda done, number=number: done.exception() or self.confirmed.append(number))
            self.sent = number + 1
            await asyncio.sleep(0.002)


async def echo(envelope: Envelope) -> bytes:
    return envelope.payload


async def settle(traffic: Traffic, recorder: Recorder) -> None:
    """End the traffic, wait until all of it has arrived, and compare."""
    await traffic.stop()
    await eventually(lambda: len(set(recorder.numbers())) == traffic.sent, within_s=30)
    assert recorder.distinct() == list(range(traffic.sent)), "in order, none lost, none twice"


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_a_broker_that_comes_back_has_lost_nothing_confirmed(
    make_amqp_bus: MakeBus, broker: PrivateRabbit, how: str
) -> None:
    publisher, consumer = make_amqp_bus(broker.url), make_amqp_bus(broker.url)
    recorder = Recorder().subscribe(consumer)
    await consumer.start()
    await publisher.start()
    traffic = Traffic(publisher)
    await asyncio.sleep(6)  # RabbitMQ 3.10 forgets a quorum queue that is younger than 5 s when it is killed
    if how == "kill":
        await broker.kill()
        await eventually(lambda: not publisher.ready)
        await broker.start()
    else:
        await broker.restart()
    before = len(traffic.confirmed)
    await eventually(lambda: len(traffic.confirmed) > before + 100, within_s=60)
    await settle(traffic, recorder)
    assert set(traffic.confirmed) <= set(recorder.numbers())
    assert publisher.counters.reconnects >= 1


async def test_requests_and_commands_work_again_after_the_broker_restarted(
    make_amqp_bus: MakeBus, broker: PrivateRabbit
) -> None:
    pod, client = make_amqp_bus(broker.url), make_amqp_bus(broker.url)
    pod.serve("tests", {ASK: echo})
    await pod.start()
    await client.start()
    for number in range(20):
        await pod.attach(f"CP-{number}", echo)
    await broker.stop()
    await eventually(lambda: not pod.ready and not client.ready)
    await pod.attach("CP-20", echo)
    waiting = asyncio.ensure_future(client.request(event(1, key=ASK), timeout=60))
    await broker.start()
    await eventually(lambda: pod.ready and client.ready, within_s=60)
    for number in range(21):
        assert await client.command(event(number, key=ASK, station=f"CP-{number}"), timeout=5)
    assert await client.request(event(2, key=ASK), timeout=5)
    assert await waiting, "it waited for the broker and for the server"


async def test_a_frozen_broker_is_waited_for_and_nothing_is_counted_twice(
    make_amqp_bus: MakeBus, broker: PrivateRabbit
) -> None:
    publisher, consumer = make_amqp_bus(broker.url, publish_timeout_s=0.5), make_amqp_bus(broker.url)
    recorder = Recorder().subscribe(consumer)
    await consumer.start()
    await publisher.start()
    traffic = Traffic(publisher)
    await eventually(lambda: len(traffic.confirmed) > 100)
    broker.freeze()
    try:
        await asyncio.sleep(0.2)
        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(publisher.publish(event(-1, station="CP-2")), 5)
    finally:
        broker.thaw()
    await traffic.stop()
    await eventually(lambda: len(set(recorder.numbers("CP-1"))) == traffic.sent, within_s=30)
    await eventually(lambda: recorder.numbers("CP-2"), within_s=30)
    by_id = {delivery.id: delivery for delivery in recorder.deliveries}
    assert len(recorder.deliveries) > len(by_id), "what timed out was sent again"
    assert publisher.counters.reconnects >= 1, "a connection that confirms nothing is not trusted"
    numbers = [number for number in recorder.distinct() if number >= 0]
    assert numbers == list(range(traffic.sent)), "in order, none lost, none twice"


async def test_a_broker_that_holds_publishers_back_makes_the_bus_not_ready(
    make_amqp_bus: MakeBus, broker: PrivateRabbit
) -> None:
    bus = make_amqp_bus(broker.url, publish_timeout_s=1)
    recorder = Recorder().subscribe(bus)
    await bus.start()
    await bus.publish(event(0))
    await broker.control("set_vm_memory_high_watermark", "0.00001")
    held_back = bus.publish(event(1))
    await eventually(lambda: not bus.ready)
    with pytest.raises(BusUnavailable):
        await held_back
    await broker.control("set_vm_memory_high_watermark", "0.4")
    await eventually(lambda: bus.ready, within_s=30)
    await bus.publish(event(2))
    await eventually(lambda: len(set(recorder.numbers())) == 3)
    assert recorder.distinct() == [0, 1, 2]


async def test_start_waits_for_a_broker_that_is_not_there_yet(make_amqp_bus: MakeBus, tmp_path: Path) -> None:
    broker = PrivateRabbit(tmp_path)
    bus = make_amqp_bus(broker.url)
    recorder = Recorder().subscribe(bus)
    starting = asyncio.ensure_future(bus.start())
    bus.publish(event(1))
    await asyncio.sleep(0.5)
    assert not starting.done()
    assert not bus.ready
    async with broker:
        await asyncio.wait_for(starting, 30)
        await eventually(lambda: recorder.numbers() == [1])
        assert bus.ready
        await bus.stop()
