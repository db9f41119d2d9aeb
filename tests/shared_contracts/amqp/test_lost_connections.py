"""One of the two connections to the broker is lost, and made anew: what was under way goes on as if nothing was."""

import asyncio
from collections.abc import Callable

import pytest

from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import RequestTimedOut
from shared_contracts.message import Envelope
from tests.shared_contracts.carriers import ASK, Recorder, event, eventually, number_of

MakeBus = Callable[..., AmqpBus]


async def test_a_consumer_goes_on_though_its_connection_was_lost_in_the_middle_of_a_batch(
    make_amqp_bus: MakeBus,
) -> None:
    publisher, consumer = make_amqp_bus(), make_amqp_bus()
    gate, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await gate.wait()

    recorder = Recorder(before=work).subscribe(consumer)
    await consumer.start()
    await publisher.start()
    await publisher.publish(event(1))
    await begun.wait()
    consumer._in.drop("by a test")
    await eventually(lambda: not consumer.connected)
    await eventually(lambda: consumer.connected)
    gate.set()
    await publisher.publish(event(2))
    await eventually(lambda: 2 in recorder.numbers())
    assert recorder.distinct() == [1, 2]


async def test_what_nobody_waits_for_any_more_is_not_sent_when_the_connection_is_back(make_amqp_bus: MakeBus) -> None:
    """A command would be carried out after its time: how long it holds is counted from when it arrives."""
    pod, client = make_amqp_bus(), make_amqp_bus()
    carried_out: list[int] = []

    async def carry_out(envelope: Envelope) -> bytes:
        carried_out.append(number_of(envelope))
        return b"{}"

    await pod.start()
    await client.start()
    await pod.attach("CP-1", carry_out)
    client._out.drop("by a test")
    await eventually(lambda: not client.connected)
    with pytest.raises(RequestTimedOut):
        await client.command(event(1, key=ASK), timeout=0.02)
    await client.command(event(2, key=ASK), timeout=5)
    assert carried_out == [2]
