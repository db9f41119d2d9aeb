"""T3: a second connection of a station: who has no credentials changes nothing, who has them is told of."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest

from communication_service.ocpp.versions import Version
from shared_contracts.commands import CommandOutcome, ResetStation
from shared_contracts.security import IncidentKind, IncidentNoticed
from shared_contracts.stations import StationConnected, StationDisconnected, StatusReported
from tests.communication_service.edge import Edge, edge, until
from tests.communication_service.stations import CLOSE, PING, PONG, TEXT, RawSocket
from tests.communication_service.test_admission import basic, locked
from tests.communication_service.test_registry import two_pods
from tests.security.dialling import connected, knock

FIRST, SECOND = "127.0.0.2", "127.0.0.3"
RIGHT = {"Authorization": basic("CS1", b"secret")}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that does not close its side is dropped sooner."""
    monkeypatch.setattr("communication_service.websocket._CLOSE_S", 0.3)


async def live(socket: RawSocket) -> int | None:
    """Answer pings until the end; the close code. Nothing else may come."""
    while True:
        try:
            first, payload = await socket.receive(30)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        assert first & 0xF != TEXT, payload
        if first & 0xF == PING:
            socket.send(payload, PONG)
        elif first & 0xF == CLOSE:
            socket.send(payload, CLOSE)
            return int.from_bytes(payload[:2])


def kinds(e: Edge) -> list[IncidentKind]:
    return [event.kind for event in e.heard(IncidentNoticed)]


async def test_a_duplicate_without_credentials_never_touches_the_session() -> None:
    async with edge(modules=locked()) as e, connected(e, FIRST) as station:
        assert (await station.upgrade("CS1", **RIGHT))[0] == 101
        for shown in ({}, {"Authorization": basic("CS1", b"wrong")}, {"Authorization": basic("CS2", b"secret")}):
            assert (await knock(e, SECOND, **shown))[0] == 401
        station.send('[2,"1","Heartbeat",{}]')

        assert b"currentTime" in (await station.receive())[1]
        assert len(await e.hears(StationConnected)) == 1
        assert e.heard(StationDisconnected) == []


@pytest.mark.parametrize("across_pods", [False, True])
async def test_two_devices_with_the_credentials_of_one_are_told_of(across_pods: bool) -> None:
    async with two_pods() as (a, b), connected(a, FIRST) as old:
        assert (await old.upgrade("CS1"))[0] == 101
        await a.hears(StationConnected)
        ending = asyncio.create_task(live(old))
        async with connected(b if across_pods else a, SECOND) as new:
            assert (await new.upgrade("CS1"))[0] == 101
            assert await asyncio.wait_for(ending, 5) == 1008
            [told] = await a.hears(IncidentNoticed)

            assert (told.kind, told.station_id) == (IncidentKind.DUPLICATE_CONNECTION, "CS1")
            assert (told.remote_address, FIRST in told.detail) == (SECOND, True)
            assert len(a.communication.registry) + len(b.communication.registry) == 1


@pytest.mark.parametrize(("source", "answers"), [(FIRST, True), (SECOND, False)], ids=["from there", "dead"])
async def test_a_station_that_comes_back_is_no_incident(source: str, answers: bool) -> None:
    async with edge() as e, connected(e, FIRST) as old:
        assert (await old.upgrade("CS1"))[0] == 101
        ending = asyncio.create_task(live(old)) if answers else None
        async with connected(e, source) as new:
            assert (await new.upgrade("CS1"))[0] == 101
            await e.hears(StationDisconnected)
            assert kinds(e) == []
        if ending is not None:
            await ending


async def test_nothing_is_taken_from_the_old_connection_and_no_command_sent_to_it() -> None:
    async with edge() as e, connected(e, FIRST) as old, e.station(Version.V16) as new:
        assert (await old.upgrade("CS1"))[0] == 101
        async with e.station(Version.V16) as newest:
            old.send('[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Faulted"}]')
            told = e.telling(ResetStation())
            await newest.answer()
            assert (await told).outcome is CommandOutcome.ACCEPTED
            await newest.silent()
            assert await live(old) in {None, 1008}
            assert len(await e.hears(StationDisconnected)) >= 1
            assert e.heard(StatusReported) == []
        await new.closed()


@dataclass
class Devices:
    """Two devices with the same credentials, each of which connects anew when it was pushed out."""

    stack: AsyncExitStack
    ends: list[asyncio.Task[int | None]] = field(default_factory=list)
    sockets: list[RawSocket] = field(default_factory=list)

    async def connect(self, pod: Edge, source: str) -> tuple[int, dict[str, str]]:
        """Connect once more, and wait until the connections before have ended."""
        socket = await self.stack.enter_async_context(connected(pod, source))
        status, headers = await socket.upgrade("CS1")
        if status == 101:
            before = list(self.ends)
            self.ends.append(asyncio.create_task(live(socket)))
            self.sockets.append(socket)
            self.stack.push_async_callback(asyncio.wait, [self.ends[-1]])
            self.stack.callback(socket.writer.transport.abort)
            await asyncio.wait_for(asyncio.gather(*before), 10)
        return status, headers


async def test_connections_that_push_each_other_out_are_held_off_and_the_last_one_stays() -> None:
    """Three flaps in a minute are let pass; at the fourth the connection stays, and others are told to wait."""
    async with edge(flaps_per_minute=3, flap_hold_s=1.0) as e, AsyncExitStack() as stack:
        devices = Devices(stack)
        answers = [await devices.connect(e, (FIRST, SECOND)[turn % 2]) for turn in range(8)]
        await until(lambda: IncidentKind.FLAPPING in kinds(e))

        assert [status for status, _ in answers] == [101] * 5 + [503] * 3
        assert all(int(headers["retry-after"]) >= 1 for status, headers in answers if status == 503)
        assert kinds(e).count(IncidentKind.FLAPPING) == 1
        assert kinds(e).count(IncidentKind.DUPLICATE_CONNECTION) == 4
        assert not devices.ends[-1].done()
        await asyncio.sleep(1.1)
        assert (await knock(e, FIRST))[0] == 101


async def test_when_the_one_that_stayed_has_gone_the_next_gets_in_at_once() -> None:
    async with edge(flaps_per_minute=1, flap_hold_s=60.0) as e, AsyncExitStack() as stack:
        devices = Devices(stack)
        for turn in range(3):
            await devices.connect(e, (FIRST, SECOND)[turn % 2])
        await until(lambda: IncidentKind.FLAPPING in kinds(e))
        assert (await knock(e, FIRST))[0] == 503
        devices.sockets[-1].writer.transport.abort()
        await until(lambda: len(e.communication.registry) == 0)
        assert (await knock(e, FIRST))[0] == 101


async def test_a_station_that_flaps_on_one_pod_is_held_off_on_the_other() -> None:
    async with two_pods() as (a, b), AsyncExitStack() as stack:
        devices = Devices(stack)
        for turn in range(7):
            await devices.connect(*((a, FIRST), (b, SECOND))[turn % 2])
        await until(lambda: kinds(a).count(IncidentKind.FLAPPING) == 2)

        assert [(await knock(pod, source))[0] for pod, source in ((a, FIRST), (b, SECOND))] == [503, 503]
        assert len(a.communication.registry) + len(b.communication.registry) == 1
