"""Several connections of one station: the newest is the living one, on one pod and across two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import permutations

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.bus import BusUnavailable, StationOffline, Subscription, Unroutable, shard_of_key
from shared_contracts.commands import CommandOutcome, ResetStation
from shared_contracts.message import Envelope
from shared_contracts.stations import StationConnected, StationDisconnected
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.stations import RawSocket, Station

REASON = "a newer connection of the station was opened"


@asynccontextmanager
async def two_pods() -> AsyncIterator[tuple[Edge, Edge]]:
    async with edge(pod_id="a") as a, edge(bus=a.bus, modules=a.modules, pod_id="b") as b:
        yield a, b


async def living(e: Edge, station: Station) -> None:
    """Assert that commands reach this connection, and no other."""
    told = e.telling(ResetStation())
    await station.answer()
    assert (await told).outcome is CommandOutcome.ACCEPTED
    await station.silent()


async def test_the_newest_connection_wins_on_one_pod() -> None:
    async with edge() as e, e.station() as old, e.station(Version.V201) as new:
        assert await old.closed() == 1008
        await living(e, new)
        [gone] = await e.hears(StationDisconnected)
        first, second = e.heard(StationConnected)

        assert first.epoch < second.epoch
        assert (gone.epoch, gone.close_code, gone.reason) == (first.epoch, 1008, REASON)
        assert len(e.communication.registry) == 1


async def test_the_newest_connection_wins_across_pods() -> None:
    async with two_pods() as (a, b), a.station() as old, b.station() as new:
        assert await old.closed() == 1008
        await living(a, new)
        [gone] = await a.hears(StationDisconnected)
        first, second = a.heard(StationConnected)

        assert (first.pod_id, second.pod_id, gone.pod_id) == ("a", "b", "a")
        assert first.epoch == gone.epoch < second.epoch
        assert (len(a.communication.registry), len(b.communication.registry)) == (0, 1)


@pytest.mark.parametrize("pods", [(0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)])
@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_whatever_order_connections_end_in_the_last_one_stays(
    pods: tuple[int, ...], order: tuple[int, ...]
) -> None:
    """Three raw connections that do not answer the close of ours; they then end in any order."""
    async with two_pods() as (a, b):
        edges = (a, b)
        sockets: list[RawSocket] = []
        for pod in pods:
            reader, writer = await asyncio.open_connection("127.0.0.1", edges[pod].communication.port)
            sockets.append(RawSocket(reader, writer))
            assert (await sockets[-1].upgrade("CS1"))[0] == 101
            await a.hears(StationConnected, len(sockets))
        last = max(event.epoch for event in a.heard(StationConnected))
        for index in order:
            if index < 2:
                sockets[index].writer.close()
                await asyncio.sleep(0.01)
        await a.hears(StationDisconnected, 2)

        assert last not in {event.epoch for event in a.heard(StationDisconnected)}
        assert len(a.communication.registry) + len(b.communication.registry) == 1
        told = a.telling(ResetStation())
        _, call = await sockets[2].receive()
        sockets[2].send(call.replace(b'[2,"', b'[3,"').split(b',"Reset"')[0] + b',{"status":"Accepted"}]')
        assert (await told).outcome is CommandOutcome.ACCEPTED

        sockets[2].writer.close()
        gone = await a.hears(StationDisconnected, 3)
        assert gone[-1].epoch == last
        with pytest.raises(StationOffline):
            await a.tell(ResetStation())


async def test_a_station_that_connects_twenty_times_at_once_is_connected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("communication_service.websocket._CLOSE_S", 0.3)
    async with two_pods() as (a, b):
        stations = []
        for number in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", (a, b)[number % 2].communication.port)
            stations.append(RawSocket(reader, writer))
        await asyncio.gather(*(station.upgrade("CS1") for station in stations))
        await a.hears(StationDisconnected, 19)
        newest = max(event.epoch for event in a.heard(StationConnected))

        assert newest not in {event.epoch for event in a.heard(StationDisconnected)}
        assert len(a.communication.registry) + len(b.communication.registry) == 1
        for station in stations:
            station.writer.close()


async def test_a_pod_that_was_told_of_a_newer_connection_too_early_is_told_again() -> None:
    async with two_pods() as (a, b), b.station():
        await a.hears(StationConnected)
        [mine] = a.heard(StationConnected)
        older = mine.model_copy(update={"pod_id": "c", "epoch": mine.epoch - 1})
        await a.bus.publish(Envelope.of(older))
        told = await a.hears(StationConnected, 3)

        assert (told[2].epoch, told[2].pod_id) == (mine.epoch, "b")


async def test_an_old_connection_that_reads_nothing_and_never_closes_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("communication_service.websocket._CLOSE_S", 0.2)
    async with edge() as e, e.raw() as old:
        old.reader._transport.pause_reading()  # type: ignore[attr-defined]  # a station that hangs
        session = e.communication.registry.get("CS1")
        assert session is not None
        transport = session.socket._req.transport  # type: ignore[union-attr]
        stuffing = asyncio.create_task(session.socket.send_text("x" * 8_000_000))
        await until(lambda: transport.get_write_buffer_size() > 100_000)
        async with e.station() as new:
            await living(e, new)
            [gone] = await e.hears(StationDisconnected)
            assert gone.reason == REASON
            await until(lambda: transport.get_write_buffer_size() == 0)
        stuffing.cancel()


async def test_no_command_is_begun_on_a_connection_that_gives_way() -> None:
    async with edge(call_timeout_s=0.2) as e, e.raw() as old:
        first = e.telling(ResetStation())
        assert b'"Reset"' in (await old.receive())[1]
        behind = e.telling(ResetStation())
        await asyncio.sleep(0)
        async with e.station() as new:
            await until(lambda: len(e.heard(StationConnected)) == 2)
            assert (await first).outcome is CommandOutcome.TIMED_OUT
            assert (await behind).outcome is CommandOutcome.OFFLINE
            await living(e, new)


async def test_a_station_that_commands_cannot_reach_is_asked_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attach(*_: object) -> None:
        raise BusUnavailable("the broker is away")

    async with edge() as e:
        monkeypatch.setattr(e.bus, "attach", attach)
        async with e.station() as station:
            assert await station.closed() == 1013
        assert len(e.communication.registry) == 0
        assert e.heard(StationConnected) == []
        assert e.heard(StationDisconnected) == []


async def test_what_no_queue_took_of_connections_is_told_when_the_queue_is_there_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("communication_service.registry._TELL_AGAIN_S", 0.05)
    async with edge() as e:
        shard = shard_of_key("CS1", e.bus.limits.shards)
        async with e.station():
            [connected] = await e.hears(StationConnected)
            with pytest.raises(Unroutable):
                await e.bus.probe("keeper", shard)
        await until(lambda: len(e.communication.registry) == 0)
        assert e.heard(StationDisconnected) == []

        e.bus.subscribe(Subscription("keeper", frozenset(), ignore, ignore))
        await e.bus.probe("keeper", shard)
        [gone] = await e.hears(StationDisconnected)
        assert gone.epoch == connected.epoch


async def ignore(*_: object) -> None:
    """A consumer that keeps nothing."""
