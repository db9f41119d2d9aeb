"""The bus in its two implementations, each with names of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from shared_contracts.amqp import AmqpBus
from shared_contracts.bus import Bus, Limits
from shared_contracts.memory import MemoryBus

QUICK = Limits(shards=2, publish_timeout_s=2.0)


@pytest.fixture(params=["memory", "amqp"])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    """Where the broker is; None for the bus that needs none."""
    return str(request.getfixturevalue("amqp_url")) if request.param == "amqp" else None


@pytest.fixture
async def make_bus(broker_url: str | None, bus_prefix: str) -> AsyncIterator[Callable[..., Bus]]:
    """Makes the bus of the test, with these limits; it is stopped at the end."""
    async with AsyncExitStack() as stack:

        def make(**limits: float) -> Bus:
            bounds = replace(QUICK, **limits)  # type: ignore[arg-type]  # any of the limits
            bus: Bus = MemoryBus(bounds)
            if broker_url is not None:
                bus = AmqpBus(broker_url, prefix=bus_prefix, limits=bounds)
            stack.push_async_callback(bus.stop)
            return bus

        yield make


@pytest.fixture
async def make_amqp_bus(amqp_url: str, bus_prefix: str) -> AsyncIterator[Callable[..., AmqpBus]]:
    """Makes processes at one broker; they are stopped at the end."""
    async with AsyncExitStack() as stack:

        def make(url: str = amqp_url, **limits: float) -> AmqpBus:
            bounds = replace(QUICK, **limits)  # type: ignore[arg-type]  # any of the limits
            bus = AmqpBus(url, prefix=bus_prefix, limits=bounds)
            stack.push_async_callback(bus.stop)
            return bus

        yield make
