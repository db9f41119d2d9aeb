"""F21: two connections of one station, on one pod or on two, whichever ends first: exactly one is the living one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import aiohttp
import orjson
import pytest

from tests.e2e.stack import Service, Stack
from tests.faults.ground import Ground
from tests.figures import Figure
from tests.services.ports import free_port

STATION = "TWIN"


@dataclass
class Device:
    """Answers every CALL, and counts them. It is taken in when a Heartbeat is answered: 101 comes before that."""

    name: str
    calls: int = 0
    socket: aiohttp.ClientWebSocketResponse | None = None
    session: aiohttp.ClientSession | None = None
    serving: asyncio.Task[None] | None = None
    taken_in: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, port: int, from_address: str) -> int:
        """Dial from an address of the loopback; the HTTP status."""
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(from_address, 0)))
        try:
            self.socket = await self.session.ws_connect(f"ws://127.0.0.1:{port}/ocpp/{STATION}", protocols=("ocpp1.6",))
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status
        self.serving = asyncio.create_task(self._serve(self.socket))
        await self.socket.send_json([2, "here", "Heartbeat", {}])
        await asyncio.wait_for(self.taken_in.wait(), 10)
        return 101

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            call = orjson.loads(message.data)
            if call[0] == 2:
                self.calls += 1
                await socket.send_json([3, call[1], {"status": "Accepted"}])
            elif call[1] == "here":
                self.taken_in.set()
        self.ended.set()

    async def close(self) -> None:
        """Go, as late as it pleases the test."""
        if self.socket is not None and self.serving is not None:
            await self.socket.close()
            self.serving.cancel()
            await asyncio.gather(self.serving, return_exceptions=True)
        if self.session is not None:
            await self.session.close()


@dataclass
class Twins:
    """Two pods, and what the API says of the station that connects to both."""

    strum: Stack
    ports: tuple[int, int]
    devices: AsyncExitStack

    async def device(self, name: str, pod: int, from_address: str) -> tuple[Device, int]:
        device = Device(name)
        self.devices.push_async_callback(device.close)
        return device, await device.connect(self.ports[pod], from_address)

    async def told(self) -> Any:
        """Send a command; how it ended."""
        path = f"/charging-stations/{STATION}/commands"
        status, body = await self.strum.api("POST", path, json={"type": "unlock_connector", "connector_id": 1})
        assert status == 201, body
        ended = await self.strum.eventually(f"/commands/{body['command_id']}", lambda it: it["completed_at"])
        return ended["state"]

    async def connected(self, expected: bool) -> None:
        """Wait until the API says so, and hold it for a moment."""
        path = f"/charging-stations/{STATION}"
        await self.strum.eventually(path, lambda station: station["connected"] is expected)
        await asyncio.sleep(0.5)
        assert (await self.strum.get(path))["connected"] is expected

    async def incidents(self, kind: str) -> int:
        """How many events tell of it."""
        page = await self.strum.get("/events", key="stations.incident_noticed.v1", limit=100)
        return sum(item["payload"]["kind"] == kind for item in page["items"])


@pytest.fixture
async def twins(prepared: Ground) -> AsyncIterator[Twins]:
    strum = prepared.strum
    await strum.management().start()
    ports = (strum.ocpp_port, free_port())
    pods: list[Service] = [strum.communication(port=port, name=f"pod-{port}") for port in ports]
    await asyncio.gather(*(pod.start() for pod in pods))
    await strum.sign_in()
    async with AsyncExitStack() as devices:
        yield Twins(strum, ports, devices)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_of_two_connections_the_newest_is_routable_whichever_ends_first(twins: Twins, figure: Figure) -> None:
    worst_s = 0.0
    for pods, late, ends_itself in product([(0, 0), (0, 1), (1, 0)], [False, True], [False, True]):
        async with AsyncExitStack() as stack:
            twins.devices = stack
            old, _ = await twins.device("old", pods[0], "127.0.0.2")
            await twins.connected(True)
            new, status = await twins.device("new", pods[1], "127.0.0.2")
            assert status == 101
            begun = asyncio.get_running_loop().time()
            if ends_itself and old.socket is not None:
                await old.socket.close()
            await asyncio.wait_for(old.ended.wait(), 10)
            worst_s = max(worst_s, asyncio.get_running_loop().time() - begun)
            if not late:
                await old.close()
            before = old.calls
            assert [await twins.told() for _ in range(3)] == ["accepted"] * 3
            assert (old.calls, new.calls) == (before, 3)
            await old.close()
            await twins.connected(True)
            assert await twins.told() == "accepted"
        await twins.connected(False)
    figure("F21", "old connection ended after", worst_s, "s", at_most=7)
    assert await twins.incidents("duplicate_connection") == 0, "both were one device"


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_two_devices_that_push_each_other_out_are_told_of_and_one_stays(twins: Twins, figure: Figure) -> None:
    statuses: list[int] = []
    present: list[Device] = []
    for turn in range(12):
        device, status = await twins.device(f"{turn}", turn % 2, ("127.0.0.2", "127.0.0.3")[turn % 2])
        statuses.append(status)
        if status == 101:
            for earlier in present:
                await asyncio.wait_for(earlier.ended.wait(), 10)
            present.append(device)
        await asyncio.sleep(0.3)
    figure("F21", "connections taken before others are held off", statuses.count(101), at_most=8)
    assert statuses[-3:] == [503] * 3
    assert not present[-1].ended.is_set()
    assert await twins.told() == "accepted"
    assert present[-1].calls == 1
    await twins.connected(True)
    assert await twins.incidents("duplicate_connection") >= 5
    assert await twins.incidents("flapping") >= 1
