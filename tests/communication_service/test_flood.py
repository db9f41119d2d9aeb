"""A station that sends too much is read later, never refused; one that reads nothing is dropped (threat T16, F20)."""

import asyncio
import socket
import time

import orjson
import pytest

from communication_service.allowance import Allowance
from communication_service.ocpp.versions import Version
from shared_contracts.stations import StationDisconnected
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.phrases import meters
from tests.communication_service.stations import PING, PONG, RawSocket
from tests.communication_service.test_websocket import OFFER, deflated

PER_S = 40.0
BURST = int(PER_S * 10)
BEAT = '[2,"7","Heartbeat",{}]'


async def _others_are_served(e: Edge, *, within_s: float = 0.2) -> None:
    async with e.station(station_id="OTHER") as other:
        for _ in range(20):
            begun = time.monotonic()
            await other.silent()
            assert time.monotonic() - begun < within_s


def test_ten_seconds_worth_may_come_at_once_and_then_the_rate_holds() -> None:
    allowance = Allowance(100.0)
    for _ in range(1000):
        assert not allowance.pause_s()
        allowance.spend(1)
    allowance.spend(50)

    assert allowance.pause_s() == pytest.approx(0.5, abs=0.05)


async def test_a_flood_of_calls_is_answered_at_the_rate_allowed_and_nothing_is_refused() -> None:
    async with edge(station_messages_per_s=PER_S) as e, e.raw() as hostile:
        begun = time.monotonic()
        for number in range(BURST + 60):
            hostile.send(BEAT.replace('"7"', f'"{number}"'))
        await _others_are_served(e)
        answers = [orjson.loads((await hostile.receive())[1]) for _ in range(BURST + 60)]

        assert [answer[:2] for answer in answers] == [[3, str(number)] for number in range(BURST + 60)]
        assert time.monotonic() - begun > 50 / PER_S


async def test_a_backlog_of_hundreds_of_messages_is_taken_without_a_pause() -> None:
    async with edge() as e, e.raw() as honest:
        for _ in range(1000):
            honest.send(BEAT)
        for _ in range(1000):
            assert (await honest.receive())[1].startswith(b"[3,")
        session = e.communication.registry.get("CS1")

        assert session is not None
        assert not session.socket._allowance.pause_s()


@pytest.mark.parametrize("flood", ["pings", "answers", "fragments", "bombs"])
async def test_a_flood_below_the_level_of_calls_waits_and_others_do_not(flood: str) -> None:
    async with edge(station_messages_per_s=PER_S) as e, e.raw(**OFFER) as hostile:
        begun = time.monotonic()
        _flood(hostile, flood)
        await _others_are_served(e)
        hostile.send(BEAT)
        first = 0
        while first not in {0x81, 0x88}:
            first, payload = await hostile.receive(30)

        assert payload.startswith(b'[3,"7"')
        assert time.monotonic() - begun > 50 / PER_S


def _flood(hostile: RawSocket, flood: str) -> None:
    match flood:
        case "pings":
            for _ in range(BURST + 60):
                hostile.send(b"", PING)
        case "answers":
            for _ in range(BURST + 60):
                hostile.send('[3,"x",{}]')
        case "fragments":
            hostile.send("[", flags=0)
            for _ in range(BURST + 60):
                hostile.send(" ", 0, flags=0)
            hostile.send('3,"x",{}]', 0)
        case "bombs":
            bomb = deflated('[3,"x",{}]'.ljust(1024 * 1000))
            for _ in range(BURST // 250 + 2):
                hostile.send(bomb, flags=0xC0)


async def test_a_station_that_is_paused_is_not_taken_for_dead() -> None:
    async with edge(station_messages_per_s=10, ping_interval_s=0.4) as e, e.raw() as eager:
        for _ in range(120):
            eager.send(b"", PING)
        await asyncio.sleep(1.5)

        assert e.heard(StationDisconnected) == []


@pytest.mark.parametrize("says", ["nothing", "heartbeats", "calls without end"])
async def test_a_station_that_reads_nothing_is_dropped_in_one_and_a_half_intervals(says: str) -> None:
    """Its kernel acknowledges what fits into its buffer; then its window is closed."""
    interval_s = 1.0
    async with edge(ping_interval_s=interval_s) as e:
        deaf = await _deaf(e)
        stop = asyncio.Event()
        sending = asyncio.create_task(_say(deaf, says, stop))
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        await until(lambda: e.communication.registry.get("DEAF") is None, within_s=10)
        lasted_s = time.monotonic() - begun
        stop.set()
        await sending
        deaf.writer.transport.abort()

        assert lasted_s < 1.5 * interval_s + 0.3 + (0 if says == "nothing" else interval_s)


async def _deaf(e: Edge) -> RawSocket:
    """Connected by a socket of the smallest window, of which nothing is read once it is upgraded."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", e.communication.port))
    reader, writer = await asyncio.open_connection(sock=connection, limit=256)
    deaf = RawSocket(reader, writer)
    assert (await deaf.upgrade("DEAF"))[0] == 101
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a socket it can
    return deaf


async def _say(deaf: RawSocket, says: str, stop: asyncio.Event) -> None:
    if says == "nothing":
        return
    while not stop.is_set() and not deaf.writer.transport.is_closing():
        for _ in range(1 if says == "heartbeats" else 200):
            deaf.send(BEAT)
        await asyncio.sleep(0.05)


async def test_what_waits_of_one_station_is_bounded_in_bytes() -> None:
    async with edge() as e, e.raw() as greedy:
        gate = e.modules.hold("events")
        for number in range(30):
            greedy.send(meters(Version.V16, vendor="x" * 100_000).replace('"7"', f'"{number}"', 1))
        await asyncio.sleep(0.5)
        session = e.communication.registry.get("CS1")
        assert session is not None
        assert sum(len(text) for _, text, _ in session._waiting) < 512 * 1024
        gate.set()
        for number in range(30):
            assert orjson.loads((await greedy.receive())[1])[1] == str(number)


async def test_a_ping_is_answered_with_its_own_payload() -> None:
    async with edge() as e, e.raw() as station:
        station.send(b"are you there", PING)

        assert await station.receive() == (0x80 | PONG, b"are you there")
