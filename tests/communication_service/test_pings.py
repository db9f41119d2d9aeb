"""The sweep over all connections, and what it does after this process stood still."""

import asyncio
import time
from itertools import pairwise
from typing import Any

from communication_service import pings


class Probed:
    """Stands for a session, and notes when it was probed."""

    def __init__(self, station_id: str = "CS1") -> None:
        self.station_id = station_id
        self.at: list[float] = []

    async def probe(self) -> None:
        self.at.append(time.monotonic())


async def _probed_again(session: Any, since: float) -> float:
    async with asyncio.timeout(10):
        while not session.at or session.at[-1] < since:
            await asyncio.sleep(0.01)
    return float(session.at[-1])


async def test_after_standing_still_what_came_meanwhile_is_read_before_anybody_is_judged() -> None:
    session: Any = Probed()
    sweeping = asyncio.create_task(pings.watch([session], interval_s=0.4))
    await _probed_again(session, time.monotonic())
    stopped_at = time.monotonic()
    time.sleep(1.8)  # noqa: ASYNC251 - blocks the loop as SIGSTOP does
    woken_at = time.monotonic()
    judged_at = await _probed_again(session, woken_at)
    sweeping.cancel()

    assert judged_at - woken_at >= 1.0
    assert judged_at > stopped_at


async def test_a_station_is_probed_twice_within_the_interval() -> None:
    session: Any = Probed()
    sweeping = asyncio.create_task(pings.watch([session], interval_s=0.4))
    await asyncio.sleep(1.0)
    sweeping.cancel()

    assert 3 <= len(session.at) <= 6


async def test_a_station_is_probed_at_even_distances_while_others_come_and_go() -> None:
    session: Any = Probed()
    sessions: list[Any] = [session]
    sweeping = asyncio.create_task(pings.watch(sessions, interval_s=0.8))
    for number in range(10):
        others = [Probed(f"{number}-{each}") for each in range(200)]
        sessions[:] = [*others, session] if number % 2 else [session, *others]
        await asyncio.sleep(0.3)
    sweeping.cancel()

    distances = [later - sooner for sooner, later in pairwise(session.at)]
    assert len(distances) >= 3
    assert max(distances) < 0.55
    assert min(distances) > 0.25
