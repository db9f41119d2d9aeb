"""The edge on real sockets, with the in-process bus behind it and small fakes where the modules would be.

async with edge() as e, e.station(Version.V16) as station:
    assert await station.call("Heartbeat") == [3, "1", {"currentTime": ANY}]
    [event] = await e.hears(StationConnected)
    answered = e.telling(ResetStation()); await station.answer(); await answered
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiohttp

from communication_service.app import Communication
from communication_service.metrics import REGISTRY
from communication_service.ocpp.versions import Version
from communication_service.settings import CommunicationSettings
from shared_contracts.bus import Limits, tell
from shared_contracts.commands import Command, CommandAnswered, ExecuteCommand
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Event, Request
from tests.communication_service.fakes import Modules, fakes
from tests.communication_service.stations import RawSocket, Station

E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Request[Any])


@dataclass
class Edge:
    """One pod, and what it said to the modules."""

    communication: Communication
    bus: MemoryBus
    modules: Modules
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        """Where stations connect, without their id."""
        return f"http://127.0.0.1:{self.communication.port}/ocpp/"

    @asynccontextmanager
    async def station(
        self, version: Version | str = Version.V16, station_id: str = "CS1", **options: Any
    ) -> AsyncIterator[Station]:
        """A connected station; `options` are those of aiohttp's `ws_connect`."""
        protocols = options.pop("protocols", (f"ocpp{version}",))
        async with self.http.ws_connect(self.url + station_id, protocols=protocols, **options) as socket:
            yield Station(socket)

    @asynccontextmanager
    async def raw(
        self, version: Version | str = Version.V16, station_id: str = "CS1", **more: str
    ) -> AsyncIterator[RawSocket]:
        """A connected station that does as it pleases below the level of messages."""
        async with RawSocket.dialled(self.communication.port) as socket:
            status, _ = await socket.upgrade(station_id, protocol=f"ocpp{version}", **more)
            assert status == 101
            yield socket

    def heard(self, kind: type[E]) -> list[E]:
        """What became durable of this kind."""
        return [envelope.read(kind) for envelope in self.modules.events if envelope.key == kind.key]

    def asked(self, kind: type[Q]) -> list[Q]:
        """What the modules were asked of this kind."""
        return [request for request in self.modules.asked if isinstance(request, kind)]

    async def hears(self, kind: type[E], count: int = 1) -> list[E]:
        """Wait until this many are durable."""
        await until(lambda: len(self.heard(kind)) >= count)
        return self.heard(kind)

    async def tell(
        self,
        command: Command,
        station_id: str = "CS1",
        *,
        expires_s: float = 10.0,
        timeout: float = 5.0,
        trace: str | None = None,
    ) -> CommandAnswered:
        """Send a command as a module would."""
        expires_at = datetime.now(UTC) + timedelta(seconds=expires_s)
        message = ExecuteCommand(
            station_id=station_id, command_id=secrets.token_hex(4), command=command, expires_at=expires_at
        )
        return await tell(self.bus, message, timeout=timeout, trace=trace)

    def telling(self, command: Command, **options: Any) -> "asyncio.Task[CommandAnswered]":
        """The same in the background, since the station has to answer."""
        return asyncio.create_task(self.tell(command, **options))

    def metric(self, name: str, **labels: str) -> float:
        """A metric of this process; tests compare before and after."""
        return REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def edge(
    *,
    modules: Modules | None = None,
    bus: MemoryBus | None = None,
    pod_id: str | None = None,
    publish_timeout_s: float = 1.0,
    **settings: Any,
) -> AsyncIterator[Edge]:
    """Run a pod. Give two the same `bus` and `modules` to make a cluster; the first one starts the bus."""
    modules = modules or fakes()
    async with AsyncExitStack() as stack:
        shared = bus is not None
        if bus is None:
            bus = MemoryBus(Limits(publish_timeout_s=publish_timeout_s))
            modules.serve(bus)
        values = CommunicationSettings(**{"ocpp_port": 0, "health_port": 0, "keepers": "modules", **settings})
        communication = Communication(values, bus, pod_id=pod_id, share_bus=shared)
        await communication.start()
        stack.push_async_callback(communication.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stack.callback(modules.open_all)
        yield Edge(communication, bus, modules, http)


async def until(condition: Callable[[], object], *, within_s: float = 5.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)
