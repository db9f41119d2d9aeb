"""Small fakes where the modules would be."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared_contracts.authorization import JudgeToken, TokenJudged, TokenStatus
from shared_contracts.bus import Delivery, OnRequest, Subscription
from shared_contracts.charge_points import (
    BootAnswered,
    BootStation,
    DataReceived,
    GetStationAccess,
    ReceiveData,
    Registration,
    StationAccess,
)
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope, Reply, Request
from shared_contracts.transactions import (
    CloseTransaction,
    JudgeTransactionReport,
    OpenTransaction,
    ProveCommit,
    Proven,
    TransactionClosed,
    TransactionOpened,
    TransactionReportJudged,
)

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
            if kind is not ProveCommit:  # which no station causes
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


def fakes() -> Modules:
    """Modules that accept everything."""
    modules = Modules(
        {
            BootStation: lambda _: BootAnswered(registration=Registration.ACCEPTED, interval_s=300),
            JudgeToken: lambda _: TokenJudged(status=TokenStatus.ACCEPTED),
            OpenTransaction: lambda _: TransactionOpened(number=7, status=TokenStatus.ACCEPTED),
            CloseTransaction: lambda _: TransactionClosed(status=TokenStatus.ACCEPTED),
            JudgeTransactionReport: lambda _: TransactionReportJudged(status=TokenStatus.ACCEPTED),
            ProveCommit: lambda _: Proven(),
            ReceiveData: lambda _: DataReceived(status="UnknownVendorId"),
        }
    )
    modules.replies[GetStationAccess] = modules.known
    return modules


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


async def _poison(body: bytes, reason: str) -> None:
    raise AssertionError(f"{reason}: {body[:200]!r}")
