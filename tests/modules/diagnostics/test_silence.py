"""A pod that was called silent and is heard again: what the statuses say of its stations, whatever the clocks say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from modules.charge_points.service import connecting
from shared_contracts.stations import StationDisconnected, StationsSeen
from tests.harness import Running, running
from tests.modules.charge_points.edge import connected, register

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def _connected(database: str, at: datetime) -> AsyncIterator[Running]:
    modules = "charge_points", "diagnostics"
    async with running(database, *modules, diagnostics={"flush_interval_s": 0.05}) as strum:
        await register(strum)
        await strum.publish(connected("CS1", 1, at=at))
        await _is_shown(strum, "connected", connected=True)
        yield strum


async def _give_up(strum: Running) -> None:
    hosted = next(hosted for hosted in strum.management.hosted if hosted.module.name == "charge_points")
    async with hosted.work() as work:
        assert await connecting.give_up_silent_pods(work, silence=timedelta(0)) == 1


async def _hear(strum: Running) -> None:
    now = datetime.now(UTC)
    await strum.publish(StationsSeen(pod_id="pod-1", seen_at=now, last_seen_at={"CS1": now}))


async def _end(strum: Running) -> None:
    await strum.publish(StationDisconnected(station_id="CS1", epoch=1, pod_id="pod-1", disconnected_at=NOW - HOUR))


async def _is_shown(strum: Running, state: str, *, connected: bool) -> None:
    """Wait until the statuses say so, and the station itself."""
    async with asyncio.timeout(5):
        while await _shown(strum) != (state, connected):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.15)  # nothing that comes later says otherwise
    assert await _shown(strum) == (state, connected)


async def _shown(strum: Running) -> tuple[str | None, bool]:
    _, page = await strum.api().get("/charging-stations/CS1/statuses")
    _, station = await strum.api().get("/charging-stations/CS1")
    states = {item["item"]: item["state"] for item in page["items"]}
    return states.get("station"), station["connected"]


@pytest.mark.parametrize("ahead", [timedelta(0), HOUR, -HOUR], ids=["right", "fast", "slow"])
async def test_statuses_follow_a_pod_that_falls_silent_and_is_heard_again_and_again(
    database: str, ahead: timedelta
) -> None:
    async with _connected(database, datetime.now(UTC) + ahead) as strum:
        for _ in range(2):
            await _give_up(strum)
            await _is_shown(strum, "disconnected", connected=False)
            await _hear(strum)
            await _is_shown(strum, "connected", connected=True)
        await _end(strum)
        await _is_shown(strum, "disconnected", connected=False)
