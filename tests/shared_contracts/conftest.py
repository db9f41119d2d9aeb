"""The bus in its two implementations, each with names of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from shared_contracts.amqp import AmqpBus, purge
from shared_contracts.bus import Bus, Limits
from shared_contracts.memory import MemoryBus

QUICK = Limits(shards=2, publish_timeout_s=2.0)


def limits_of(changes: dict[str, float]) -> Limits:
    return replace(QUICK, **changes)  # type: ignore[arg-type]  # any of the limits


@asynccontextmanager
async def processes(shared_url: str, prefix: str) -> AsyncIterator[Callable[..., AmqpBus]]:
    """Makes processes at the shared broker, or another; they are stopped at the end.

    Then their queues are deleted: a broker that may open 1,024 files accepts no connection beyond some 220 quorum
    queues. A broker of the test's own takes its queues with it.
    """
    made: list[AmqpBus] = []

    def make(url: str = shared_url, **limits: float) -> AmqpBus:
        made.append(AmqpBus(url, prefix=prefix, limits=limits_of(limits)))
        return made[-1]

    try:
        yield make
    finally:
        for bus in made:
            await bus.stop()
        consumers = {consumer._subscription.consumer for bus in made for consumer in bus._consumers}
        await purge(shared_url, prefix, consumers=consumers, shards=QUICK.shards)


@pytest.fixture
async def make_amqp_bus(amqp_url: str, bus_prefix: str) -> AsyncIterator[Callable[..., AmqpBus]]:
    async with processes(amqp_url, bus_prefix) as make:
        yield make


@pytest.fixture(params=["memory", "amqp"])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    """Where the broker is; None for the bus that needs none."""
    return str(request.getfixturevalue("amqp_url")) if request.param == "amqp" else None


@pytest.fixture
async def make_bus(broker_url: str | None, bus_prefix: str) -> AsyncIterator[Callable[..., Bus]]:
    """Makes the bus of the test, with these limits; it is stopped at the end."""
    if broker_url is not None:
        async with processes(broker_url, bus_prefix) as make:
            yield make
    else:
        made: list[MemoryBus] = []

        def make_memory_bus(**limits: float) -> MemoryBus:
            made.append(MemoryBus(limits_of(limits)))
            return made[-1]

        yield make_memory_bus
        for bus in made:
            await bus.stop()
