"""Stand-ins for the modules, so that the edge can be measured without them.

`python -m benchmarks.fakes modules` answers and consumes over RabbitMQ what modules would, and does nothing;
`python -m benchmarks.fakes edge` is the edge with such modules on the in-process bus. Settings are those of `strum`.
"""

import asyncio
import sys

from communication_service.admission import password_hash
from communication_service.app import Communication
from communication_service.settings import CommunicationSettings
from shared_contracts import logs
from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import Bus, Delivery, Limits, Subscription
from shared_contracts.charge_points import GetStationAccess, Registration, StationAccess
from shared_contracts.memory import MemoryBus
from shared_contracts.message import Envelope
from shared_contracts.transactions import ProveCommit
from strum import running

CONSUMER = "fakes"
PASSWORD = "0123456789abcdef0123456789abcdef"
_SALT = "a1b2c3d4"
_ACCESS = (
    StationAccess(
        known=True,
        registration=Registration.ACCEPTED,
        security_profile=1,
        password_salt=_SALT,
        password_hash=password_hash(_SALT, PASSWORD.encode()),
    )
    .model_dump_json()
    .encode()
)


def install(bus: Bus) -> None:
    """Admit every station that knows the password, and take every event."""
    bus.serve("fakes", {GetStationAccess.key: _admit, ProveCommit.key: _prove})
    bus.subscribe(Subscription(CONSUMER, None, _take, _poison))


async def _admit(_: Envelope) -> bytes:
    return _ACCESS


async def _prove(_: Envelope) -> bytes:
    return b"{}"


async def _take(_: int, __: tuple[Delivery, ...]) -> None:
    """Returning acknowledges."""


async def _poison(_: bytes, reason: str) -> None:
    raise AssertionError(reason)


async def _modules(settings: CommunicationSettings) -> None:
    bus = AmqpBus(settings.amqp_url, prefix=settings.amqp_prefix, name="fakes")
    install(bus)
    await bus.start()


async def _edge(settings: CommunicationSettings) -> None:
    bus = MemoryBus(Limits())
    install(bus)
    await Communication(settings.model_copy(update={"keepers": CONSUMER}), bus).start()


async def serve(role: str) -> None:
    """Start, say so, and stay until the process is ended."""
    logs.configure("warning", "console", service="fakes")
    await {"modules": _modules, "edge": _edge}[role](CommunicationSettings())
    running.settle()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    running.run(serve(sys.argv[1]))
