"""The newest connection wins though the clock of a pod is set back: epochs count on (F34)."""

import time

import pytest

from shared_contracts.stations import StationConnected, StationDisconnected
from tests.communication_service.edge import edge, until
from tests.communication_service.fakes import OPEN, fakes

HOUR_NS = 3600 * 10**9


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock of the pod that can be set: nanoseconds to add to the true time."""
    shift, true = [0], time.time_ns
    monkeypatch.setattr("communication_service.registry.time.time_ns", lambda: true() + shift[0])
    return shift


@pytest.mark.parametrize("step_ns", [-HOUR_NS, HOUR_NS])
async def test_a_connection_after_a_step_of_the_clock_is_the_newer_one(clock: list[int], step_ns: int) -> None:
    async with edge() as e, e.station() as older:
        clock[0] = step_ns
        async with e.station() as newer:
            assert await older.closed() == 1008
            await newer.silent()
            first, second = await e.hears(StationConnected, 2)

            assert second.epoch > first.epoch


async def test_a_pod_that_is_behind_learns_from_what_others_announce(clock: list[int]) -> None:
    modules = fakes()
    async with (
        edge(modules=modules, pod_id="ahead") as ahead,
        edge(modules=modules, bus=ahead.bus, pod_id="behind") as behind,
        ahead.station() as older,
    ):
        await behind.hears(StationConnected)
        clock[0] = -HOUR_NS
        async with behind.station() as newer:
            assert await older.closed() == 1008
            await newer.silent()


async def test_a_pod_that_starts_with_its_clock_behind_is_told_the_last_epoch() -> None:
    modules = fakes()
    last = time.time_ns() + HOUR_NS
    modules.access["CS1"] = OPEN.model_copy(update={"last_epoch": last})
    async with edge(modules=modules) as e, e.station():
        await until(lambda: e.heard(StationConnected))
        (connected,) = e.heard(StationConnected)

        assert connected.epoch > last
        assert abs(connected.connected_at.timestamp() - time.time()) < 60


async def test_a_leftover_whose_pod_could_not_hear_of_the_newer_connection_is_closed() -> None:
    """Else commands would reach both."""
    modules = fakes()
    async with edge(modules=modules) as e, e.station() as leftover, e.station(station_id="CS2") as other:
        await e.hears(StationConnected, 2)
        for station_id in ("CS1", "CS2"):
            session = e.communication.registry.get(station_id)
            assert session is not None
            newest = session.epoch + (station_id == "CS1")
            modules.access[station_id] = OPEN.model_copy(update={"last_epoch": newest})
        e.bus.counters.reconnects += 1  # what the bus counts when a connection to the broker is lost

        assert await leftover.closed() == 1008
        [gone] = await e.hears(StationDisconnected)
        assert (gone.station_id, gone.reason) == ("CS1", "a newer connection of the station was opened")
        await other.silent()
