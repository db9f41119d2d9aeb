"""Several processes at one broker: what only RabbitMQ can show."""

import asyncio
import time
from collections.abc import Callable

import aiormq
import pytest

from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import Delivery, NoHandler, StationOffline, Subscription
from shared_contracts.message import Envelope, pack
from tests.shared_contracts.carriers import ASK, METERS, Recorder, event, eventually

MakeBus = Callable[..., AmqpBus]


async def echo(envelope: Envelope) -> bytes:
    return envelope.payload


async def test_what_a_dead_consumer_had_not_acknowledged_goes_to_the_next_in_order(make_amqp_bus: MakeBus) -> None:
    first, second = make_amqp_bus(publish_timeout_s=0.2, batch_envelopes=3), make_amqp_bus()
    stuck = Recorder(before=asyncio.Event().wait).subscribe(first)
    await first.start()
    await asyncio.gather(*(first.publish(event(number)) for number in range(30)))
    await first.stop()
    assert stuck.envelopes == []
    recorder = Recorder().subscribe(second)
    await second.start()
    await eventually(lambda: len(recorder.envelopes) == 30)
    assert recorder.numbers() == list(range(30))


async def test_a_delivery_has_the_same_id_when_it_is_delivered_again(make_amqp_bus: MakeBus) -> None:
    seen: list[str] = []

    async def note_and_hang(_: int, deliveries: tuple[Delivery, ...]) -> None:
        seen.extend(delivery.id for delivery in deliveries)
        await asyncio.Event().wait()

    first, second = make_amqp_bus(publish_timeout_s=0.2), make_amqp_bus()
    first.subscribe(Subscription("recorder", None, note_and_hang, Recorder().on_poison))
    await first.start()
    await first.publish(event(1))
    await eventually(lambda: seen)
    await first.stop()
    recorder = Recorder().subscribe(second)
    await second.start()
    await eventually(lambda: recorder.deliveries)
    assert [delivery.id for delivery in recorder.deliveries] == seen


async def test_a_shard_is_consumed_by_one_process_at_a_time_and_taken_over(make_amqp_bus: MakeBus) -> None:
    first, second = make_amqp_bus(), make_amqp_bus(batch_envelopes=1, pace_s=0)
    one, two = Recorder().subscribe(first), Recorder().subscribe(second)
    await first.start()
    await second.start()
    await asyncio.gather(*(second.publish(event(number)) for number in range(20)))
    await eventually(lambda: len(one.envelopes) == 20)
    await first.stop()
    await second.publish(event(20))
    await eventually(lambda: two.envelopes)
    assert (one.numbers(), two.numbers()) == (list(range(20)), [20])


async def test_a_body_that_is_no_batch_is_set_aside_and_harms_no_neighbour(
    make_amqp_bus: MakeBus, amqp_url: str, bus_prefix: str
) -> None:
    bus = make_amqp_bus()
    recorder = Recorder().subscribe(bus)
    await bus.start()
    await bus.publish(event(1))
    for body in (b"", b"\xff\xfe", b"{}\n{}", b"[]\n1\n2", b'{"id":1,"key":2,"at":3}\n{}'):
        await publish_raw(amqp_url, f"{bus_prefix}.events", "s0.anything", body)
    await bus.publish(event(2, station="CP-2"))
    await bus.publish(event(3, station="CP-3"))
    await eventually(lambda: len(recorder.poison) == 5 and len(recorder.envelopes) == 3)
    assert [body for body, _ in recorder.poison][:3] == [b"", b"\xff\xfe", b"{}\n{}"]
    assert all(reason for _, reason in recorder.poison)
    assert bus.counters.poisoned == 5


async def test_what_is_no_batch_of_requests_does_not_stop_a_server(
    make_amqp_bus: MakeBus, amqp_url: str, bus_prefix: str
) -> None:
    bus = make_amqp_bus()
    bus.serve("tests", {ASK: echo})
    await bus.start()
    await bus.attach("CP-1", echo)
    await publish_raw(amqp_url, f"{bus_prefix}.requests", ASK, b"\xff")
    await publish_raw(amqp_url, f"{bus_prefix}.requests", ASK, pack([event(1, key=ASK)]))
    await publish_raw(amqp_url, f"{bus_prefix}.stations", "CP-1", b"\xff")
    assert await bus.request(event(1, key=ASK), timeout=5)
    assert await bus.command(event(2, key=ASK), timeout=5)


async def test_servers_of_one_consumer_share_its_requests(make_amqp_bus: MakeBus) -> None:
    answered = {"first": 0, "second": 0}

    def counting(name: str) -> Callable[[Envelope], object]:
        async def answer(_: Envelope) -> bytes:
            answered[name] += 1
            await asyncio.sleep(0.01)
            return b"{}"

        return answer

    for name in answered:
        bus = make_amqp_bus()
        bus.serve("tests", {ASK: counting(name)})  # type: ignore[dict-item]  # an async function
        await bus.start()
    for number in range(30):
        await bus.request(event(number, key=ASK), timeout=5)
    assert sum(answered.values()) == 30
    assert min(answered.values()) > 0


async def test_a_request_finds_nobody_once_the_last_server_has_stopped(make_amqp_bus: MakeBus) -> None:
    server, client = make_amqp_bus(), make_amqp_bus()
    server.serve("tests", {ASK: echo})
    await server.start()
    await client.start()
    await client.request(event(1, key=ASK), timeout=5)
    await server.stop()
    with pytest.raises(NoHandler):
        await client.request(event(2, key=ASK), timeout=5)


async def test_a_command_finds_the_pod_that_holds_the_station(make_amqp_bus: MakeBus) -> None:
    async def here(_: Envelope) -> bytes:
        return b'"here"'

    pods = [make_amqp_bus(), make_amqp_bus()]
    client = make_amqp_bus()
    for bus in (*pods, client):
        await bus.start()
    await pods[0].attach("CP-0", echo)
    await pods[1].attach("CP-1", here)
    assert await client.command(event(1, key=ASK, station="CP-1"), timeout=5) == b'"here"'
    await pods[1].stop()
    began = time.monotonic()
    with pytest.raises(StationOffline):
        await client.command(event(2, key=ASK, station="CP-1"), timeout=5)
    assert time.monotonic() - began < 0.5


async def test_a_detached_station_is_unbound_so_that_it_is_offline_at_once(make_amqp_bus: MakeBus) -> None:
    async def command_ms() -> float:
        began = time.monotonic()
        with pytest.raises(StationOffline):
            await bus.command(event(1, key=ASK), timeout=5)
        return (time.monotonic() - began) * 1000

    bus = make_amqp_bus()
    await bus.start()
    await bus.attach("CP-1", echo)
    await bus.detach("CP-1", echo)
    await bus.attach("CP-2", echo)
    assert min([await command_ms() for _ in range(5)]) < 100, "no pod was asked"


async def test_a_request_outlives_the_connection_and_awaits_a_server_that_is_not_back_yet(
    make_amqp_bus: MakeBus,
) -> None:
    server, client = make_amqp_bus(), make_amqp_bus()
    server.serve("tests", {ASK: echo})
    await client.start()
    lose_connections(client)
    asking = asyncio.ensure_future(client.request(event(1, key=ASK), timeout=10))
    await eventually(lambda: client.counters.reconnects == 2 and client.ready)
    await asyncio.sleep(0.5)
    assert not asking.done()
    await server.start()
    assert await asking


async def test_a_lost_connection_is_rebuilt_with_all_that_was_on_it(make_amqp_bus: MakeBus) -> None:
    bus = make_amqp_bus()
    recorder = Recorder().subscribe(bus)
    heard: list[Envelope] = []
    bus.listen(frozenset({METERS}), heard.append)
    bus.serve("tests", {ASK: echo})
    await bus.start()
    await bus.attach("CP-1", echo)
    for number in range(3):
        lose_connections(bus)
        await bus.publish(event(number))
        await eventually(lambda: bus.ready)
        assert await bus.request(event(number, key=ASK), timeout=5)
        assert await bus.command(event(number, key=ASK), timeout=5)
    await bus.publish(event(3))
    await eventually(lambda: recorder.distinct() == [0, 1, 2, 3] and heard)
    assert bus.counters.reconnects == 6


async def test_while_a_station_moves_the_pod_that_has_it_answers(make_amqp_bus: MakeBus) -> None:
    async def gone(_: Envelope) -> bytes:
        raise StationOffline("CP-1")

    async def slowly(envelope: Envelope) -> bytes:
        await asyncio.sleep(0.1)
        return envelope.payload

    old, new = make_amqp_bus(), make_amqp_bus()
    await old.start()
    await new.start()
    await old.attach("CP-1", gone)
    await new.attach("CP-1", slowly)
    command = event(1, key=ASK)
    assert await old.command(command, timeout=5) == command.payload


async def test_a_late_reply_is_dropped_and_counted(make_amqp_bus: MakeBus) -> None:
    async def slowly(envelope: Envelope) -> bytes:
        await asyncio.sleep(0.2)
        return envelope.payload

    bus = make_amqp_bus()
    bus.serve("tests", {ASK: slowly})
    await bus.start()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bus.request(event(1, key=ASK), timeout=5), 0.05)
    await eventually(lambda: bus.counters.late_replies == 1)


async def test_keys_too_many_for_one_routing_key_travel_in_several_bodies(make_amqp_bus: MakeBus) -> None:
    bus = make_amqp_bus()
    recorder = Recorder().subscribe(bus, "recorder", *(f"tests.{'x' * 50}_{number}.v1" for number in range(0, 12, 2)))
    await bus.start()
    waiting = [bus.publish(event(number, key=f"tests.{'x' * 50}_{number}.v1")) for number in range(12)]
    await asyncio.gather(*waiting)
    await eventually(lambda: len(recorder.envelopes) == 6)
    assert recorder.numbers() == [0, 2, 4, 6, 8, 10]


def lose_connections(bus: AmqpBus) -> None:
    """Have both connections die, as far as the bus can tell."""
    for link in (bus._in, bus._out):
        assert link._wire is not None
        link._wire.drop("a test")


async def publish_raw(url: str, exchange: str, routing_key: str, body: bytes) -> None:
    """Publish as somebody who does not speak the contract."""
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.basic_publish(
        body,
        exchange=exchange,
        routing_key=routing_key,
        mandatory=True,
    )
    await connection.close()
