"""(d) A command to a station that answers at once: over the API, and over the bus alone."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from benchmarks import systems
from benchmarks.ground import Ground
from benchmarks.spread import Figures, percentile
from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import tell
from shared_contracts.commands import CommandOutcome, ExecuteCommand, TriggerMessage
from shared_contracts.message import new_id
from tests.e2e.stack import Stack

_STATION = "TOLD00000"
_TIMEOUT_S = 30.0


class NotAccepted(Exception):
    """A command did not end as it should; the text is the answer."""


async def measure(ground: Ground) -> Figures:
    """One command at a time, to one station."""
    figures = Figures()
    async with systems.whole(ground) as system, systems.stations(system.ocpp_port, "TOLD", 1, password=""):
        environment = system.environment
        bus = AmqpBus(environment["STRUM_AMQP_URL"], prefix=environment["STRUM_AMQP_PREFIX"], name="benchmark")
        await bus.start()
        ways = {"command": lambda: _over_the_api(system), "bus_command": lambda: _over_the_bus(bus)}
        try:
            for name, way in ways.items():
                await _latencies(way, ground.size.calls // 4)
                for _ in range(ground.size.runs):
                    took_ms = await _latencies(way, ground.size.calls)
                    p50, p99 = percentile(took_ms, 50), percentile(took_ms, 99)
                    figures.add(**{f"{name}_p50_ms": p50, f"{name}_p99_ms": p99})
        finally:
            await bus.stop()
    return figures


async def _latencies(way: Callable[[], Awaitable[None]], count: int) -> list[float]:
    took_ms: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await way()
        took_ms.append((time.perf_counter() - began) * 1000)
    return took_ms


async def _over_the_api(system: Stack) -> None:
    command = {"type": "trigger_message", "message": "Heartbeat"}
    status, body = await system.api("POST", f"/charging-stations/{_STATION}/commands", json=command, wait_s=10)
    if status != 201 or body["state"] != "accepted":
        raise NotAccepted(f"{status}: {body}")


async def _over_the_bus(bus: AmqpBus) -> None:
    command = ExecuteCommand(
        station_id=_STATION,
        command_id=new_id(),
        command=TriggerMessage(message="Heartbeat"),
        expires_at=datetime.now(UTC) + timedelta(seconds=_TIMEOUT_S),
    )
    answered = await tell(bus, command, timeout=_TIMEOUT_S)
    if answered.outcome is not CommandOutcome.ACCEPTED:
        raise NotAccepted(str(answered))
