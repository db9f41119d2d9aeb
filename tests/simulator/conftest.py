"""Stations against a tiny central system that checks every frame."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.ledger import Ledger
from simulator.station import Station
from tests.simulator.csms import Csms

VERSIONS = ("1.6", "2.0.1", "2.1")
START = datetime(2024, 5, 1, 8, 0, tzinfo=UTC)
MakeStation = Callable[..., Station]


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    """A central system; at the end of the test it must have seen nothing but valid frames."""
    async with Csms() as central:
        yield central
    assert central.invalid == []


@pytest.fixture
async def lenient_csms() -> AsyncIterator[Csms]:
    """A central system for stations that misbehave on purpose."""
    async with Csms() as central:
        yield central


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def make_station() -> AsyncIterator[MakeStation]:
    """Stations whose hours pass in seconds, whose back-off is short, and that are closed after the test."""
    async with AsyncExitStack() as stack:

        def make(central: Csms, **options: Any) -> Station:
            defaults: dict[str, Any] = {
                "station_id": "SIM-0001",
                "url": central.url,
                "speed": 36_000,
                "link_speed": 100,
                "starts_at": START,
                "seed": 7,
                "meter_interval": 600,
                "settings": {"message_timeout_s": 30},
                "ledger": Ledger(),
            }
            settings = defaults["settings"] | options.pop("settings", {})
            station = Station(**defaults | options | {"settings": settings})
            stack.push_async_callback(station.close)
            return station

        yield make
