"""The edge on real sockets, with the in-process bus behind it and small fakes where the modules would be.

async with edge() as e, e.station(Version.V16) as station:
    assert await station.call("Heartbeat") == [3, "1", {"currentTime": ANY}]
    [event] = await e.heard(MetersSampled)
    assert await e.tell("CS1", ResetStation()) ...
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import aiohttp

from communication_service.app import Communication
from communication_service.metrics import REGISTRY
from communication_service.ocpp.versions import Version
from communication_service.settings import CommunicationSettings
from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from shared_contracts.bus import Delivery, Limits, OnRequest, Subscription, tell
from shared_contracts.charge_points import (
    BootAnswered,
    BootStation,
    DataReceived,
    GetStationAccess,
    ReceiveData,
    Registration,
    StationAccess,
)
from shared_contracts.commands import Command, CommandAnswered, ExecuteCommand
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope, Event, Reply, Request
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    OpenTransaction,
    TransactionClosed,
    TransactionOpened,
    TransactionReportJudged,
)
from tests.communication_service.stations import RawSocket, Station

E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Request[Any])

OPEN = StationAccess(known=True, registration=Registration.ACCEPTED, security_profile=0)
"""A station that is accepted, and needs no credentials."""


@dataclass
class Modules:
    """Answers for the modules, keeps what they were asked and told; `gates` hold an answer or a consumer back."""

    replies: dict[type[Request[Any]], Callable[[Any], Reply]]
    default: StationAccess = OPEN
    access: dict[str, StationAccess] = field(default_factory=dict)
    asked: list[Request[Any]] = field(default_factory=list)
    events: list[Envelope] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(_open_gate))

    def serve(self, bus: MemoryBus) -> None:
        """Take the place of the modules on a bus."""
        bus.serve("modules", {kind.key: self._responder(kind) for kind in self.replies})
        bus.subscribe(Subscription("modules", None, self._take, _poison))

    def _responder(self, kind: type[Request[Any]]) -> OnRequest:
        async def respond(envelope: Envelope) -> bytes:
            request = envelope.read(kind)
            self.asked.append(request)
            await self.gates[kind.key].wait()
            return self.replies[kind](request).model_dump_json(exclude_defaults=True).encode()

        return respond

    async def _take(self, _: int, deliveries: tuple[Delivery, ...]) -> None:
        await self.gates["events"].wait()
        self.events.extend(envelope for delivery in deliveries for envelope in delivery.envelopes)

    def hold(self, kind: type[Request[Any]] | str) -> asyncio.Event:
        """Hold back the answer to a request, or with "events" the consumers; `set` the gate to let go."""
        gate = self.gates[kind if isinstance(kind, str) else kind.key]
        gate.clear()
        return gate

    def open_all(self) -> None:
        """Let everything go."""
        for gate in self.gates.values():
            gate.set()

    def known(self, request: GetStationAccess) -> StationAccess:
        """What is said of a station."""
        return self.access.get(request.station_id, self.default)


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
        self, command: Command, station_id: str = "CS1", *, expires_s: float = 10.0, timeout: float = 5.0
    ) -> CommandAnswered:
        """Send a command as a module would."""
        expires_at = datetime.now(UTC) + timedelta(seconds=expires_s)
        message = ExecuteCommand(
            station_id=station_id, command_id=secrets.token_hex(4), command=command, expires_at=expires_at
        )
        return await tell(self.bus, message, timeout=timeout)

    def metric(self, name: str, **labels: str) -> float:
        """A metric of this process; tests compare before and after."""
        return REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def edge(
    *, modules: Modules | None = None, bus: MemoryBus | None = None, pod_id: str | None = None, **settings: Any
) -> AsyncIterator[Edge]:
    """Run a pod. Give two the same `bus` and `modules` to make a cluster; the first one starts the bus."""
    modules = modules or fakes()
    async with AsyncExitStack() as stack:
        shared = bus is not None
        if bus is None:
            bus = MemoryBus(Limits(publish_timeout_s=1.0))
            modules.serve(bus)
        values = CommunicationSettings(**{"ocpp_port": 0, "health_port": 0, **settings})
        communication = Communication(values, bus, pod_id=pod_id, share_bus=shared)
        await communication.start()
        stack.push_async_callback(communication.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stack.callback(modules.open_all)
        yield Edge(communication, bus, modules, http)


def fakes() -> Modules:
    """Modules that accept everything."""
    modules = Modules(
        {
            BootStation: lambda _: BootAnswered(registration=Registration.ACCEPTED, interval_s=300),
            JudgeToken: lambda _: TokenJudged(status=TokenStatus.ACCEPTED),
            OpenTransaction: lambda _: TransactionOpened(number=7, status=TokenStatus.ACCEPTED),
            CloseTransaction: lambda _: TransactionClosed(status=TokenStatus.ACCEPTED),
            JudgeTransactionReport: lambda _: TransactionReportJudged(status=TokenStatus.ACCEPTED),
            ReceiveData: lambda _: DataReceived(status="UnknownVendorId"),
        }
    )
    modules.replies[GetStationAccess] = modules.known
    return modules


async def until(condition: Callable[[], object], *, within_s: float = 5.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


async def _poison(body: bytes, reason: str) -> None:
    raise AssertionError(f"{reason}: {body[:200]!r}")
