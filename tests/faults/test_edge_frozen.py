"""F36: the edge itself stands still for a while. Its own timers must not take that for the silence of stations."""

import asyncio
import signal

import pytest

from tests.faults.edges import Bare, pod
from tests.faults.ground import Ground
from tests.figures import Figure

STATIONS = 100


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("ping_interval_s", [40, 4], ids=["as it is set", "pings often"])
async def test_a_pod_that_stood_still_for_ten_seconds_drops_nobody(
    prepared: Ground, figure: Figure, ping_interval_s: int
) -> None:
    await prepared.strum.management().start()
    async with pod(prepared, "edge", ping_interval_s=ping_interval_s) as edge:
        bare = Bare(edge.url)
        await bare.connect(*(f"BARE-{number}" for number in range(STATIONS)))
        bare.talk(20 if ping_interval_s < 20 else 5)
        await asyncio.sleep(8)
        for _ in range(3):
            edge.signal(signal.SIGSTOP)
            await asyncio.sleep(10)
            edge.signal(signal.SIGCONT)
            await asyncio.sleep(4.3)
        figure("F36", f"dropped, pinging every {ping_interval_s} s", sum(bare.codes.values()), at_most=0)
        assert await edge.connections() == STATIONS
        assert await edge.ready()
        answered = bare.answered.total()
        await asyncio.sleep(10)
        assert bare.answered.total() > answered
        await bare.end()
